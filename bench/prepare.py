"""Preparing data: its rate beside the tokenizers library's own, two processes, each filter, peak memory.

    python -m bench.prepare --json bench/results/prepare.json
    python -m bench.prepare --parts memory --mb 1000

rate     reading, encoding with an 8,192-token byte_bpe trained beforehand, packing and writing, filters off,
         against `encode_batch_fast` over the same documents in memory; CPU-seconds of one-thread processes
scaling  2 processes against 1, and against 1 while a twin loads the other core; wall-clock seconds
filters  megabytes per CPU-second of each filter on the examples' texts, and its share of a preparation
memory   peak of one process for a quarter of the text and for all of it
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench import documents, filter_costs, harness
from bench.child import peak_bytes
from bench.harness import ROOT, SCRATCH, Variant
from bench.variants import prepare_text

VOCAB_SIZE = 8192
MEGABYTES = {"rate": 32, "scaling": 128, "memory": 1000}
PARTS = ("rate", "scaling", "filters", "memory")


class Place(NamedTuple):
    """Where a part works, and how much of it is to be done."""

    folder: Path
    rounds: int
    megabytes: int | None
    """None: the part's own."""

    def options(self, name: str, files: tuple[Path, ...] = (), num_workers: int = 1) -> dict[str, Any]:
        """Return what a preparation needs to know."""
        return {
            "files": [str(file) for file in files],
            "storage": str(self.folder / f"storage-{name}"),
            "tokenizer": str(self.folder / "tokenizer"),
            "num_workers": num_workers,
        }

    def write(self, part: str, num_files: int = 1, share: float = 1) -> tuple[Path, ...]:
        """Write a part's text."""
        megabytes = (self.megabytes or MEGABYTES[part]) * share
        return documents.write(self.folder / f"{part}-{share}", int(megabytes * 1e6), num_files)


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mb", type=int, help=f"megabytes of text; by default {MEGABYTES}")
    parser.add_argument("--json", type=Path, help="figures of other parts that stand there are kept")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(child(json.loads(arguments.child))))
        return
    os.environ["RAYON_NUM_THREADS"] = "1"
    SCRATCH.mkdir(parents=True, exist_ok=True)
    figures = kept_figures(arguments.json)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        place = Place(Path(folder), arguments.rounds, arguments.mb)
        documents.save_tokenizer(place.folder / "tokenizer", VOCAB_SIZE)
        for part in arguments.parts.split(","):
            figures |= MEASURES[part](place)
            harness.write_json(arguments.json, "prepare", figures)


def kept_figures(path: Path | None) -> dict[str, float]:
    """Return the figures of an earlier run, for a part may be measured by itself."""
    return json.loads(path.read_bytes())["figures"] if path and path.exists() else {}


def rate(place: Place) -> dict[str, float]:
    """Compare a whole preparation with the library's encoding alone."""
    options = place.options("rate", place.write("rate"))
    variants = [Variant(name, name, options) for name in ("prepare_text", "encode_batch")]
    results = harness.measure(variants, steps=1, rounds=place.rounds)
    figures = {"rate/prepare_to_encode_batch_fast": harness.ratio(results, "prepare_text", "encode_batch")}
    for name, rounds in results.items():
        figures[f"rate/{name}/mb_per_cpu_second"] = statistics.median(each.rate for each in rounds)
        print(f"{name:14}{figures[f'rate/{name}/mb_per_cpu_second']:8.2f} MB per CPU-second")
    print(f"a preparation runs at {figures['rate/prepare_to_encode_batch_fast']:.3f} x encode_batch_fast")
    return figures


def scaling(place: Place) -> dict[str, float]:
    """Compare two processes with one, in turn."""
    files = place.write("scaling", num_files=8)
    one, two = place.options("one", files), place.options("two", files, num_workers=2)
    runs: dict[str, Callable[[], float]] = {
        "one": lambda: in_processes(one)[0]["seconds"],
        "two": lambda: in_processes(two)[0]["seconds"],
        "one_beside_a_twin": lambda: max(
            each["seconds"] for each in in_processes(one, place.options("twin", files))
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(place.rounds):
        order = list(runs)[number % len(runs) :] + list(runs)[: number % len(runs)]
        for name in order:
            times[name].append(runs[name]())
        print({name: round(values[-1], 1) for name, values in times.items()}, file=sys.stderr)
    figures = {f"scaling/{name}/seconds": statistics.median(values) for name, values in times.items()}
    for name in ("one", "one_beside_a_twin"):
        ratios = [a / b for a, b in zip(times[name], times["two"], strict=True)]
        figures[f"scaling/two_to_{name}"] = statistics.median(ratios)
        print(
            f"2 processes are {figures[f'scaling/two_to_{name}']:.2f} x as fast as {name.replace('_', ' ')}"
        )
    return figures


def memory(place: Place) -> dict[str, float]:
    """Return the peak memory for a quarter of the text and for all of it."""
    figures = {}
    peaks = []
    for share in (0.25, 1):
        files = place.write("memory", share=share)
        megabytes = round(sum(file.stat().st_size for file in files) / 1e6)
        [result] = in_processes(place.options("memory", files))
        peaks.append(result["peak_mb"])
        figures[f"memory/{'all' if share == 1 else 'quarter'}/text_mb"] = megabytes
        figures[f"memory/{'all' if share == 1 else 'quarter'}/peak_mb"] = result["peak_mb"]
        print(
            f"{megabytes:5} MB of text: peak {result['peak_mb']:.0f} MB, {result['seconds']:.0f} s",
            flush=True,
        )
    figures["memory/difference_mb"] = peaks[1] - peaks[0]
    print(f"difference: {figures['memory/difference_mb']:.0f} MB")
    return figures


def filters(place: Place) -> dict[str, float]:
    """Return the speed of each filter and its share of a preparation."""
    return filter_costs.measure(place.folder)


MEASURES: dict[str, Callable[[Place], dict[str, float]]] = {
    "rate": rate,
    "scaling": scaling,
    "filters": filters,
    "memory": memory,
}


def in_processes(*options: dict[str, Any]) -> list[dict[str, float]]:
    """Prepare in fresh processes at the same time, each in its own; return what `child` returns."""
    commands = [[sys.executable, "-m", "bench.prepare", "--child", json.dumps(each)] for each in options]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for command in commands]
    outputs = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise RuntimeError("a preparation failed; its message stands above")
    return [json.loads(output) for output in outputs]


def child(options: dict[str, Any]) -> dict[str, float]:
    """Prepare once; return wall-clock seconds, and the larger peak of this process and its workers."""
    start = time.perf_counter()
    prepare_text.once(options)
    seconds = time.perf_counter() - start
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return {"seconds": seconds, "peak_mb": max(peak_bytes(), workers) / 1e6}


if __name__ == "__main__":
    main()
