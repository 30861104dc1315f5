"""A training process that is killed for real."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from raylm.recipe import Recipe
from raylm.runs.read import curve, read
from raylm.runs.run import Run
from tests.tiny import train_alone


class Killed:
    """A training process that is killed once it has passed a step."""

    def __init__(self, storage: str, run_id: str) -> None:
        self.storage = storage
        self.run_id = run_id

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "raylm", *arguments, "--storage", self.storage],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def kill_after(self, process: "subprocess.Popen[bytes]", step: int) -> int:
        """Kill -9 once the step is on record; return the last step that is."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and process.poll() is None:
            if Path(self.storage, self.run_id).exists():
                records, _ = read(Run.open(self.storage, self.run_id), "metrics", limit=10_000)
                if records and records[-1]["step"] >= step:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                    return records[-1]["step"]
            time.sleep(0.005)
        raise AssertionError(f"the process ended before it could be killed: {process.stderr.read().decode()}")


def killed_and_resumed(recipe: Recipe, storage: str, folder: Path) -> tuple[Run, Run]:
    """Train a recipe of 60 steps twice, once killed between steps 25 and 59 and resumed; return both runs.

    The curves of both are compared here, point by point; what else must be equal, the caller knows.
    """
    twin = train_alone(recipe, storage, "twin")
    path = folder / "recipe.yaml"
    path.write_text(recipe.to_yaml())

    killed = Killed(storage, "killed")
    last = killed.kill_after(killed.start("train", str(path), "--run-id", "killed"), 25)
    run = Run.open(storage, "killed")
    assert 25 <= last < 60, "the kill came too late to interrupt anything"
    assert run.status().status == "lost"
    resumed = killed.start("runs", "resume", "killed")
    assert resumed.wait(90) == 0, resumed.stderr.read().decode()

    assert [event["step"] for event in run.events() if event["event"] == "resumed"] != [0]
    assert curve(run, "train/loss") == curve(twin, "train/loss")
    assert curve(run, "eval/loss") == curve(twin, "eval/loss")
    return run, twin
