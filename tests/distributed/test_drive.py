"""The driver of a run: when it gives up, how a signal ends it, and that there is only one of it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raylm.cli import main
from raylm.distributed.drive import why_give_up
from raylm.runs.run import Run
from raylm.runs.segments import last_record
from tests.tiny import tiny_recipe


@pytest.mark.parametrize(
    ("failed_at", "max_restarts", "says"),
    [
        ([], 3, ""),
        ([7], 3, ""),
        ([7, 20, 31], 3, ""),
        ([7, 7], 3, "workers died twice after step 7, so another start would not help"),
        ([7, 20, 20], 3, "workers died twice after step 20"),
        ([0, 0], 3, "workers died twice after step 0"),
        ([20, 7, 20], 3, ""),
        ([7], 0, r"workers died 1 times (scaling.max_restarts is 0)"),
        ([7, 20, 31, 40], 3, r"workers died 4 times (scaling.max_restarts is 3)"),
    ],
)
def test_workers_are_started_again_until_it_would_not_help(failed_at, max_restarts, says):
    reason = why_give_up(failed_at, max_restarts)
    assert reason.startswith(says)
    assert bool(reason) == bool(says)


class Training:
    """`raylm train` of an endless recipe in a process of its own."""

    def __init__(self, folder, storage: str) -> None:
        recipe = folder / "tiny.yaml"
        steps = {"max_steps": 10**6}
        recipe.write_text(tiny_recipe(train=steps, checkpoint={"every_steps": 10**5}).to_yaml())
        command = [
            sys.executable,
            "-m",
            "raylm",
            "train",
            str(recipe),
            "--run-id",
            "live",
            "--storage",
            storage,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.storage = storage

    def wait_for_step(self, step: int) -> Run:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if Path(self.storage, "live", "run.json").exists():
                run = Run.open(self.storage, "live")
                if (last_record(run.folder) or {"step": 0})["step"] >= step:
                    return run
            time.sleep(0.02)
        raise AssertionError(f"no step {step}: {self.process.communicate(timeout=5)}")

    def end(self) -> tuple[int, str, str]:
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def training(tmp_path, storage):
    started = Training(tmp_path, storage)
    yield started
    started.process.kill()
    started.process.wait()


def refused(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_a_signal_ends_a_run_with_a_fresh_checkpoint_and_a_live_run_has_one_driver(training, storage, capsys):
    run = training.wait_for_step(5)
    for second in (["drive", run.uri, "1"], ["runs", "resume", "live", "--storage", storage]):
        said = refused(capsys, *second)
        assert f"pid {training.process.pid}" in said
        assert len(said.splitlines()) == 1
    assert run.status().status == "running"
    assert len(run.launches()) == 1

    code, out, err = training.end()
    assert code == 75, err
    assert "Traceback" not in err
    assert "preempted on request" in out
    status, recorded = run.status(), last_record(run.folder)["step"]
    assert status.status == "preempted"
    assert recorded - 1 <= run.checkpoints.steps()[-1] <= recorded
    assert run.checkpoints.show(run.checkpoints.steps()[-1], deep=True).state == "good"
