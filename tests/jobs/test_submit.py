"""A run as a job on the owned cluster, through the command line alone; each command is its own process."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raylm.runs.run import Run

pytestmark = pytest.mark.ray

RECIPE = """
format: 1
name: small
model: {kind: gpt2, num_layers: 1, num_heads: 2, hidden_size: 16}
tokenizer: {kind: character}
data: {sources: [{kind: text, path: text.txt}]}
objective: {kind: causal}
optimizer: {kind: adamw, learning_rate: 1e-3}
schedule: {kind: constant, warmup_steps: 0}
train: {max_steps: 100000, sequence_length: 16, micro_batch_size: 4, global_batch_size: 4}
scaling: {num_workers: 1}
checkpoint: {every_steps: 50000}
"""


def raylm(*arguments, code=0):
    command = [sys.executable, "-m", "raylm", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ, timeout=180)
    assert done.returncode == code, done.stderr + done.stdout
    return done


def show(run_id, storage):
    return json.loads(raylm("runs", "show", run_id, "--storage", storage, "--json").stdout)


def wait_for(run_id, storage, is_reached, seconds=120):
    """Read the storage, as any process may, until a run is where it should be."""
    run = Run.open(storage, run_id)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = run.status()
        if is_reached(status):
            return
        assert status.status in {"pending", "running"}, status
        time.sleep(0.2)
    pytest.fail(f"{run_id} did not get there: {status}")


@pytest.fixture
def recipe(tmp_path) -> Path:
    (tmp_path / "text.txt").write_text("To be, or not to be, that is the question.\n" * 200)
    path = tmp_path / "small.yaml"
    path.write_text(RECIPE)
    return path


def test_a_run_is_submitted_stopped_with_a_checkpoint_and_resumed(owned_cluster, recipe, storage):
    submitted = raylm("submit", str(recipe), "--run-id", "first", "--storage", storage)
    assert submitted.stdout == "first\n"
    again = raylm("submit", str(recipe), "--run-id", "first", "--storage", storage, code=2)
    assert again.stderr.count("\n") == 1
    assert "run first exists" in again.stderr

    wait_for("first", storage, lambda status: (status.step or 0) >= 5)
    assert show("first", storage)["status"] == "running"
    raylm("runs", "stop", "first", "--storage", storage)
    stopped = show("first", storage)
    assert stopped["status"] == "stopped"
    assert stopped["step"] >= 5
    assert (Path(storage) / f"first/checkpoints/step-{stopped['step']:08d}/manifest.json").exists()

    limit = stopped["step"] + 20
    raylm(
        "runs",
        "resume",
        "first",
        f"train.max_steps={limit}",
        "checkpoint.every_steps=10",
        "--storage",
        storage,
    )
    wait_for("first", storage, lambda status: status.status == "finished")
    status = show("first", storage)
    assert (status["status"], status["step"]) == ("finished", limit)
    launches = sorted(path.name for path in (Path(storage) / "first/launches").glob("*.json"))
    assert launches == ["1.json", "2.json"]


def test_more_workers_than_the_cluster_places_are_refused_before_a_run_exists(owned_cluster, recipe, storage):
    overrides = ["scaling.num_workers=8", "train.global_batch_size=8"]
    done = raylm("submit", str(recipe), *overrides, "--run-id", "big", "--storage", storage, code=2)
    assert "8 workers x 1 CPU asked, the cluster has 4 CPUs" in done.stderr
    assert not (Path(storage) / "big").exists()
