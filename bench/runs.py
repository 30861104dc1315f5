"""Runs of raylm that a benchmark trains by the command line, goes on with when called again, and keeps."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.harness import ROOT
from raylm.runs.read import read
from raylm.runs.run import Run


def raylm_command(*arguments: str) -> str:
    """Run a command of raylm; its progress goes to the terminal, its output is returned."""
    print("raylm", *arguments, file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "raylm", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def trained(name: str, recipe: Path, overrides: Sequence[str], storage: Path) -> Run:
    """Return the ended run of that name, begun or gone on with as need be."""
    is_there = (storage / name).exists()
    if is_there and Run.open(str(storage), name).status().status == "finished":
        return Run.open(str(storage), name)
    if is_there:
        raylm_command("runs", "resume", name, "--storage", str(storage))
    else:
        raylm_command("train", str(recipe), "--storage", str(storage), "--run-id", name, *overrides)
    return Run.open(str(storage), name)


def evaluated(run: Run, which: str, name: str, *arguments: str) -> dict[str, Any]:
    """Return the record of an evaluation, `name`, of a run's checkpoint; made if it is not there yet.

    Args:
        run: an ended run.
        which: `@` and a step or `best`; empty for the newest checkpoint.
        name: what the evaluation is called in the run.
        arguments: how it is asked.
    """
    found = sorted((Path(run.uri) / "evaluations").glob(f"step-*/{name}.json"))
    if found:
        return json.loads(found[-1].read_bytes())
    given = ("evaluate", f"{run.run_id}{which}", *arguments, "--name", name, "--storage", run.storage)
    return json.loads(raylm_command(*given, "--json"))


def step_seconds(run: Run) -> Iterator[float]:
    """Yield how long each step took, whatever came between: evaluations, checkpoints, a stop and a resume."""
    seen = 0
    for record in read(run, "metrics", limit=10**9)[0]:
        yield (record["tokens_seen"] - seen) / record["throughput/tokens_per_second"]
        seen = record["tokens_seen"]
