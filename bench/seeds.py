"""The Shakespeare recipe over several seeds: loss over the whole validation split, CPU-seconds, memory."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from bench import harness
from bench.harness import ROOT, SCRATCH
from raylm.runs.read import curve
from raylm.runs.run import Run

RECIPE = ROOT / "examples" / "shakespeare_char.yaml"


class Trained(NamedTuple):
    """One training run, start to end."""

    eval_loss: float  # nats a token, whole validation split
    cpu_seconds: float  # of the whole command: imports, data, training, evaluation, checkpoints
    peak_mib: float


def main() -> None:
    """Train once a seed and print the losses and their mean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("overrides", nargs="*", help="section.field=value")
    arguments = parser.parse_intermixed_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as storage:
        runs = [train(seed, storage, arguments.overrides) for seed in range(arguments.seeds)]
    mean = Trained(*(statistics.mean(column) for column in zip(*runs, strict=True)))
    print(f"{'seed':6}{'eval/loss':>10}{'CPU-s':>8}{'peak MiB':>10}")
    for name, run in [*enumerate(runs), ("mean", mean)]:
        print(f"{name!s:6}{run.eval_loss:10.4f}{run.cpu_seconds:8.0f}{run.peak_mib:10.0f}")
    figures = {f"seed{seed}/eval_loss": run.eval_loss for seed, run in enumerate(runs)}
    figures |= {f"mean/{name}": value for name, value in mean._asdict().items()}
    harness.write_json(arguments.json, "seeds", figures)


def train(seed: int, storage: str, overrides: list[str]) -> Trained:
    """Train the recipe in one process with one thread."""
    run_id = f"seed-{seed}"
    fixed = ["scaling.num_workers=0", "scaling.threads_per_worker=1", f"train.seed={seed}"]
    options = ["--storage", storage, "--run-id", run_id]
    command = [sys.executable, "-m", "raylm", "train", str(RECIPE), *options, *fixed, *overrides]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"seed {seed}: exit {os.waitstatus_to_exitcode(status)}")
    step, loss = curve(Run.open(storage, run_id), "eval/loss")[-1]
    print(f"seed {seed}: eval/loss {loss:.4f} at step {step}", file=sys.stderr)
    return Trained(loss, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
