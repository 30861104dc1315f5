"""How long a list of runs takes where there are ten thousand: the first time, again, and with a search.

Wall-clock milliseconds of a screen's question on the machine at hand, its answer as JSON included. The run
directories are made here, on a local disk, each with the files that a finished run's row is read from.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import harness
from bench.harness import SCRATCH
from raylm.api.store import Store

NAMES = ("gpt-small", "bert-base", "t5-summaries", "llama-chat")
LIVE = 10  # runs of the newest whose row is made anew each time
DAY = 86_400
FIRST_DAY = 1_767_225_600  # 2026-01-01, in seconds since 1970
ASKED: dict[str, dict[str, Any]] = {
    "newest 200": {},
    "200 in the middle": {"offset": 5_000},
    "search by name": {"search": "bert", "limit": 200},
    "search that finds none": {"search": "xlnet"},
}


def main() -> None:
    """Make the run directories, then measure each question cold and warm."""
    parser = argparse.ArgumentParser(description="milliseconds to list the runs of a large storage")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    figures: dict[str, float] = {"runs": arguments.runs}
    print(f"{arguments.runs:,} runs{'first':>24}{'again':>12}{'worst':>10}   ms")
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        write(Path(folder), arguments.runs)
        for name, args in ASKED.items():
            figures |= measure(folder, name, args, arguments.rounds)
    harness.write_json(arguments.json, "list_runs", figures)


def measure(storage: str, name: str, args: dict[str, Any], rounds: int) -> dict[str, float]:
    """Print one question's times, asked of a new store first and then again; return them as figures."""
    store = Store(storage)
    first, *warm = [milliseconds(store, args) for _ in range(rounds + 1)]
    again, worst = statistics.median(warm), max(warm)
    print(f"{name:24}{first:12.1f}{again:12.1f}{worst:10.1f}")
    key = name.replace(" ", "_")
    return {f"{key}/first_ms": first, f"{key}/again_ms": again, f"{key}/again_worst_ms": worst}


def milliseconds(store: Store, args: dict[str, Any]) -> float:
    """Return how long one answer takes."""
    start = time.perf_counter()
    json.dumps(store.answer("runs", args)["result"])
    return 1e3 * (time.perf_counter() - start)


def write(storage: Path, num_runs: int) -> None:
    """Write run directories that have rested for an hour; the newest few are live ones."""
    rested = time.time() - 3600
    for number in range(num_runs):
        when = FIRST_DAY + number * DAY // 50
        name = NAMES[number % len(NAMES)]
        run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(when))}-{name}-{number % 65_536:04x}"
        write_run(storage / run_id, when, name, is_live=number >= num_runs - LIVE)
        for folder in (storage / run_id / "launches", storage / run_id):
            os.utime(folder, (rested, rested))
    os.utime(storage, (rested, rested))


def write_run(folder: Path, when: float, name: str, *, is_live: bool) -> None:
    """Write the files of one run that its row is read from."""
    header = {
        "format": 1,
        "run_id": folder.name,
        "created": when,
        "name": name,
        "person": "me",
        "host": "here",
    }
    owner = {"host": "elsewhere", "pid": 1, "launch": 1}
    status = {
        "status": "running" if is_live else "finished",
        "step": 1000,
        "max_steps": 1000,
        "attempt": 1,
        "launch": 1,
        "lease": 1,
        "owner": owner,
        "heartbeat": time.time() + 3600,
        "updated": when,
    }
    record = {"step": 1000, "attempt": 1, "tokens_seen": 1, "time": when, "train/loss": 3.2}
    (folder / "launches").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(header))
    (folder / "status.json").write_text(json.dumps(status))
    (folder / "metrics-a1-00000.jsonl").write_text(json.dumps(record) + "\n")
    (folder / "launches" / "1.json").write_text(json.dumps({"launch": 1, "how": "process", "when": when}))


if __name__ == "__main__":
    main()
