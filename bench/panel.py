"""What a live panel costs and how fresh it is: bytes, time to the pixels, kernel memory, training speed.

`--only` measures some of: bytes points memory cost list pixels. Milliseconds are wall-clock and belong to the
machine, which must be idle; the cost to training is a ratio of steps per CPU-second, taken in turn.
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench import harness, panel_browser, panel_cost, panel_memory
from bench.harness import ROOT, SCRATCH
from raylm.api import curve_cache
from raylm.api.store import Store
from raylm.runs import Lease, MetricsWriter, Run, StepRecord
from raylm.runs.segments import Segment

_RNG = np.random.default_rng(0)
FEW, MANY, MOST = 1_000, 1_000_000, 10_000_000
EVERY_EVAL = 100
ASKED_AGAIN = 11

Figures = dict[str, float]


class Goal(NamedTuple):
    """A figure that must not be above a value."""

    figure: str
    most: float
    meaning: str


GOALS = (
    Goal("bytes/update_at_1000", 2048, "bytes of an update of the curve, 1,000 points"),
    Goal("bytes/update_at_1000000", 2048, "bytes of an update of the curve, 1,000,000 points"),
    Goal("points/answer_ms", 300, "ms to answer ten million points"),
    Goal("memory/growth_mib", 2, "MiB that a kernel grows in the second half hour of updates"),
    Goal("cost/slowdown_percent", 1, "% fewer training steps a CPU-second with 20 panels open"),
    Goal("list/first_ms", 1000, "ms to list 10,000 runs the first time (bench/list_runs.py)"),
    Goal("list/again_ms", 50, "ms to list them again"),
    Goal("pixels/default_p95_ms", 700, "ms from line to pixels, 95th percentile, default poll"),
    Goal("pixels/fastest_p95_ms", 200, "ms from line to pixels, 95th percentile, fastest poll"),
)


def main() -> None:
    """Measure what is asked for and hold it against the goals."""
    parser = argparse.ArgumentParser(description="what a live panel costs and how fresh it is")
    parser.add_argument("--only", nargs="+", choices=PIECES, default=list(PIECES))
    parser.add_argument(
        "--points", type=int, default=MOST, help="of the longest run; the goal is for ten million"
    )
    parser.add_argument("--rounds", type=int, default=15, help="pairs of training rounds for the cost")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    figures: Figures = {}
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")  # not the person's
        for name in arguments.only:
            print(name, file=sys.stderr)
            figures |= PIECES[name](Path(folder), arguments)
    report(figures)
    harness.write_json(arguments.json, "panel", figures)


def report(figures: Figures) -> None:
    """Print each figure, and each goal with whether it was met."""
    for name, value in figures.items():
        print(f"{name:32}{value:14,.2f}")
    for goal in GOALS:
        if goal.figure in figures:
            value = figures[goal.figure]
            word = "met" if value <= goal.most else "MISSED"
            print(f"{word:8}{goal.meaning}: {value:,.1f}, goal {goal.most:,}")


def measure_bytes(folder: Path, _: argparse.Namespace) -> Figures:
    """Return the bytes of one poll's answers when one step came, of a short run and of a long one."""
    figures: Figures = {}
    for num in (FEW, MANY):
        with live_run(folder, f"bytes-{num}", num) as (run, writer):
            store = Store(str(folder))
            asked = {"run_id": run.run_id}
            whole = whole_curve(store, run)
            events = store.answer("read", {**asked, "stream": "events"})["result"]
            writer.append(record(num + 1))
            update = store.answer("history", {**asked, "cursor": whole["cursor"]})
            others = [
                store.answer("run", asked),
                store.answer("read", {**asked, "stream": "events", "cursor": events["cursor"]}),
            ]
            assert update["result"]["step"] == num + 1
            figures[f"bytes/update_at_{num}"] = size(update)
            figures[f"bytes/poll_at_{num}"] = size(update) + sum(map(size, others))
            figures[f"bytes/whole_at_{num}"] = size(whole)
    return figures


def measure_points(folder: Path, arguments: argparse.Namespace) -> Figures:
    """Return how long a very long run takes: read first, and by a process that finds the cache."""
    num = arguments.points
    with live_run(folder, f"points-{num}", num) as (run, _):
        start = time.perf_counter()
        whole = whole_curve(Store(str(folder)), run)
        first = time.perf_counter() - start
        assert curve_cache.load(run.uri) is not None
        times = [milliseconds(lambda: whole_curve(Store(str(folder)), run)) for _ in range(ASKED_AGAIN)]
        bytes_cached = sum(path.stat().st_size for path in curve_cache.folder().glob("*.npz"))
        shown = whole["points"]["train/loss"]
        assert shown[-1][0] == num
    key = "answer_ms" if num == MOST else f"answer_ms_of_{num}"
    return {
        "points/num": num,
        "points/first_read_s": first,
        f"points/{key}": sorted(times)[len(times) // 2],
        "points/answer_worst_ms": max(times),
        "points/shown": len(shown),
        "points/cache_mib": bytes_cached / 2**20,
    }


def measure_memory(folder: Path, _: argparse.Namespace) -> Figures:
    """Return how much a kernel with a panel grows over an hour's worth of updates."""
    with live_run(folder, "memory", FEW) as (run, writer):
        return panel_memory.measure(run, lambda number: writer.append(record(FEW + 1 + number)))


def measure_cost(folder: Path, arguments: argparse.Namespace) -> Figures:
    """Return what twenty open panels cost a training run."""
    return panel_cost.measure(folder, arguments.rounds)


def measure_list(_: Path, __: argparse.Namespace) -> Figures:
    """Return the figures of bench/list_runs.py, which has measured them."""
    figures = json.loads((ROOT / "bench" / "results" / "list_runs.json").read_text())["figures"]
    return {"list/runs": figures["runs"]} | {
        f"list/{name}_ms": figures[f"newest_200/{name}_ms"] for name in ("first", "again")
    }


def measure_pixels(folder: Path, _: argparse.Namespace) -> Figures:
    """Return how long a step's line takes to the screen, in a real JupyterLab and Chromium."""
    with live_run(folder / "lab-runs", "pixels", FEW) as (run, writer):
        return panel_browser.measure(folder, run, lambda step: writer.append(record(step)), first=FEW + 1)


PIECES: dict[str, Callable[[Path, argparse.Namespace], Figures]] = {
    "bytes": measure_bytes,
    "points": measure_points,
    "memory": measure_memory,
    "cost": measure_cost,
    "list": measure_list,
    "pixels": measure_pixels,
}


@contextmanager
def live_run(storage: Path, name: str, num_steps: int) -> Iterator[tuple[Run, MetricsWriter]]:
    """Write a run of so many steps, in the hands of this process; gives it and what appends to it."""
    run = Run.create(storage, f"20260101-000000-{name}-0000", {"name": name})
    lease = Lease.acquire(run, run.claim_launch("name: x\n", how="here"))
    attempt = lease.start_attempt()
    path = run.folder.local_path(Segment(attempt, 0).name)
    assert path is not None
    with path.open("wb") as file:
        file.writelines(record(step).to_line() for step in range(1, num_steps + 1))
    run.folder.write("logs/rank-0-a1.log", b"INFO step 1\n")
    lease.update(step=num_steps, max_steps=100 * num_steps)
    writer = MetricsWriter(run, attempt)
    yield run, writer
    writer.close()
    lease.release("stopped")


def record(step: int) -> StepRecord:
    """Return a step as training writes it: a noisy loss, and an evaluation now and then."""
    noise = _RNG.random()
    metrics = {
        "train/loss": 1.8 + 2.4 * math.exp(-step / 5e4) + 0.1 * noise,
        "train/learning_rate": 3e-4 * min(1.0, step / 2000),
        "train/grad_norm": 0.7 + 0.3 * noise,
        "throughput/tokens_per_second": 31_000 + 500 * noise,
        "throughput/mfu": 0.41 + 0.01 * noise,
        "memory/peak_bytes": 412e6,
    }
    if step % EVERY_EVAL == 0:
        metrics |= {"eval/loss": 1.9 + 2.3 * math.exp(-step / 5e4), "eval/perplexity": 6.9}
    return StepRecord(step, 1, step * 65_536, 1.7e9 + step * 0.37, metrics)


def whole_curve(store: Store, run: Run) -> dict[str, Any]:
    """Return the curve, asked for as a panel does until all of it is read, its answer as JSON included."""
    while True:
        answer = store.answer("history", {"run_id": run.run_id})
        json.dumps(answer)
        if not answer["result"]["is_behind"]:
            return answer["result"]


def size(answer: Any) -> int:
    """Return the bytes of an answer as it is sent."""
    return len(json.dumps(answer).encode())


def milliseconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    start = time.perf_counter()
    action()
    return 1e3 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
