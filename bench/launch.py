"""From the command to the first training step, stage by stage: embedded Ray, and a cluster already up.

Times are wall-clock seconds and belong to the machine they were taken on; a stage's moment is read from the
run's own events and metrics. Each run has a storage of its own, so its text is prepared anew.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import harness
from bench.harness import ROOT, SCRATCH
from raylm.runs.read import read
from raylm.runs.run import Run

RECIPE = ROOT / "examples" / "shakespeare_char.yaml"
STAGES = ("launched", "prepared", "connected", "started", "first step")
MEANING = {
    "launched": "interpreter, recipe, checks",
    "prepared": "text to tokens on disk",
    "connected": "the driver's Ray",
    "started": "worker, model, data",
    "first step": "forward, backward, update",
}
STEPS = 20
PATIENCE = 180.0  # seconds that a submitted run may take to end

Stages = dict[str, float]


def main() -> None:
    """Measure both ways of launching and print their stages."""
    parser = argparse.ArgumentParser(description="seconds from the command to the first training step")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        bench = Launches(Path(folder))
        embedded = [bench.train(f"embedded-{number}") for number in range(arguments.rounds)]
        bench.raylm("cluster", "start")
        try:
            submitted = [bench.submit(f"submitted-{number}") for number in range(arguments.rounds)]
        finally:
            bench.raylm("cluster", "stop", "--force")  # the last job may be closing still
    figures = report("embedded Ray", embedded) | report("cluster already up", submitted)
    harness.write_json(arguments.json, "launch", figures)


class Launches:
    """Runs of the example recipe with configuration, state and cluster of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        own = {"XDG_STATE_HOME": folder / "state", "XDG_CONFIG_HOME": folder / "config"}
        self._environment = os.environ | {name: str(path) for name, path in own.items()}

    def raylm(self, *arguments: str) -> None:
        """Run a raylm command to its end."""
        command = [sys.executable, "-m", "raylm", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(
                f"raylm {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            )

    def train(self, run_id: str) -> Stages:
        """Train in the foreground on embedded Ray."""
        return self._stages("train", run_id)

    def submit(self, run_id: str) -> Stages:
        """Submit to the cluster that is up."""
        return self._stages("submit", run_id)

    def _stages(self, command: str, run_id: str) -> Stages:
        start = time.time()
        limits = [f"train.max_steps={STEPS}", f"checkpoint.every_steps={STEPS}", "evaluate.every_steps=null"]
        limits += ["scaling.num_workers=1", "schedule.warmup_steps=1"]
        storage = str(self._folder / run_id)
        self.raylm(command, str(RECIPE), "--storage", storage, "--run-id", run_id, *limits)
        run = Run.open(storage, run_id)
        wait_until_ended(run)
        moments = {event["event"]: event["time"] for event in reversed(run.events())}
        moments["first step"] = read(run, "metrics")[0][0]["time"]
        return {stage: moments[stage] - start for stage in STAGES if stage in moments}


def wait_until_ended(run: Run) -> None:
    """Return when the run has finished."""
    deadline = time.monotonic() + PATIENCE
    while (status := run.status()).is_live and time.monotonic() < deadline:
        time.sleep(0.2)
    if status.status != "finished":
        raise RuntimeError(f"{run.run_id} is {status.status}: {status.reason}")


def report(name: str, rounds: list[Stages]) -> dict[str, float]:
    """Print the median time of each stage since the command; return them as figures."""
    print(f"\n{name}: seconds since the command, median of {len(rounds)}")
    figures = {}
    before = 0.0
    for stage in rounds[0]:
        moment = statistics.median(each[stage] for each in rounds)
        figures[f"{name}/{stage}".replace(" ", "_")] = moment
        print(f"{stage:12}{moment:8.1f}{moment - before:+8.1f}   {MEANING[stage]}")
        before = moment
    return figures


if __name__ == "__main__":
    main()
