"""A training process that is killed for real."""

import os
import signal
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from raylm.recipe import Recipe
from raylm.runs.read import curve, read
from raylm.runs.run import Run
from tests.forks import start_fork
from tests.tiny import train_alone

COMMAND = "from raylm.cli import main; main()"


class Killed:
    """A training process that is killed once it has passed a step."""

    def __init__(self, storage: str, run_id: str, folder: Path) -> None:
        self.storage = storage
        self.run_id = run_id
        self._output = (folder / "out.txt", folder / "err.txt")

    def start(self, *arguments: str) -> ForkServerProcess:
        return start_fork(COMMAND, [*arguments, "--storage", self.storage], os.environ, self._output)

    def kill_after(self, process: ForkServerProcess, step: int) -> int:
        """Kill -9 once the step is on record; return the last step that is."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and process.is_alive():
            if Path(self.storage, self.run_id).exists():
                records, _ = read(Run.open(self.storage, self.run_id), "metrics", limit=10_000)
                if records and records[-1]["step"] >= step:
                    os.kill(process.pid, signal.SIGKILL)
                    process.join()
                    return records[-1]["step"]
            time.sleep(0.005)
        raise AssertionError(f"the process ended before it could be killed: {self.errors}")

    def resume(self) -> None:
        """Resume the run to its end."""
        process = self.start("runs", "resume", self.run_id)
        process.join(90)
        assert process.exitcode == 0, self.errors

    @property
    def errors(self) -> str:
        """What the processes wrote to their standard error."""
        return self._output[1].read_text()


def killed_and_resumed(recipe: Recipe, storage: str, folder: Path, step: int = 25) -> tuple[Run, Run]:
    """Train a recipe twice, once killed between a step and its last one and resumed; return both runs.

    The curves of both are compared here, point by point; what else must be equal, the caller knows.
    """
    twin = train_alone(recipe, storage, "twin")
    path = folder / "recipe.yaml"
    path.write_text(recipe.to_yaml())

    killed = Killed(storage, "killed", folder)
    last = killed.kill_after(killed.start("train", str(path), "--run-id", "killed"), step)
    run = Run.open(storage, "killed")
    assert step <= last < recipe.train.max_steps, "the kill came too late to interrupt anything"
    assert run.status().status == "lost"
    killed.resume()

    every = recipe.checkpoint.every_steps
    starts = [event["step"] for event in run.events() if event["event"] == "resumed"]
    assert starts in ([step // every * every], [last // every * every])
    assert run.status().attempt == 2
    assert curve(run, "train/loss") == curve(twin, "train/loss")
    assert curve(run, "eval/loss") == curve(twin, "eval/loss")
    return run, twin
