"""Compare programs fairly on a shared machine: one long-lived process each, rounds taken in turn, CPU time.

A variant is a function `run(options, tick)` in a module of `bench.variants`. It trains for ever and calls
`tick(tokens)` after each step; the tick holds it still until its next round. Only one variant computes at a
time, so a neighbour's load falls on all of them alike, and two variants are compared within each round.
"""

import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, NamedTuple

ROOT = Path(__file__).parent.parent
SCRATCH = ROOT / "bench" / "results" / "scratch"
PACKAGES = ("raylm", "torch", "transformers", "ray", "numpy", "accelerate")


@dataclass(frozen=True)
class Variant:
    """One contestant: a name for the table, a module of `bench.variants`, and what it needs to know."""

    name: str
    module: str
    options: Mapping[str, Any] = field(default_factory=dict)


class Round(NamedTuple):
    """What one variant did in one round of a fixed number of steps."""

    cpu_seconds: float
    wall_seconds: float
    work: float  # tokens, or whatever the variant's tick counts
    peak_bytes: int  # largest resident set of the process so far

    @property
    def rate(self) -> float:
        """Work per CPU-second."""
        return self.work / self.cpu_seconds


class Child:
    """A variant's process, waiting for its next round."""

    def __init__(self, variant: Variant, steps: int, threads: int) -> None:
        SCRATCH.mkdir(parents=True, exist_ok=True)
        self.name = variant.name
        self._log = tempfile.TemporaryFile(mode="w+", dir=SCRATCH)  # noqa: SIM115 (closed with the process)
        spec = json.dumps({"module": variant.module, "steps": steps, "options": dict(variant.options)})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.child", spec],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def wait_until_ready(self) -> None:
        """Return when the variant has made its first step."""
        self._read()

    def round(self) -> Round:
        """Let the variant work for one round."""
        stdin = self._pipe(self._process.stdin)
        stdin.write("round\n")
        stdin.flush()
        return Round(**self._read())

    def close(self) -> None:
        """End the process."""
        self._pipe(self._process.stdin).close()
        self._process.wait(timeout=60)
        self._log.close()

    def _read(self) -> dict[str, Any]:
        line = self._pipe(self._process.stdout).readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"variant {self.name!r} ended early:\n{self._log.read()[-4000:]}")
        return json.loads(line)

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


def measure(
    variants: Sequence[Variant], *, steps: int, rounds: int, threads: int = 1
) -> dict[str, list[Round]]:
    """Return each variant's rounds; one more round of each is run first and left out as warm-up."""
    children = [Child(variant, steps, threads) for variant in variants]
    for child in children:
        child.wait_until_ready()
    results: dict[str, list[Round]] = {child.name: [] for child in children}
    for number in range(rounds + 1):
        first = number % len(children)
        for child in children[first:] + children[:first]:
            done = child.round()
            if number:
                results[child.name].append(done)
        print(f"round {number} of {rounds}", file=sys.stderr)
    for child in children:
        child.close()
    return results


def ratio(results: Mapping[str, Sequence[Round]], name: str, against: str) -> float:
    """Return the median over rounds of `name`'s rate divided by `against`'s in the same round."""
    pairs = zip(results[name], results[against], strict=True)
    return statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)


def figures(results: Mapping[str, Sequence[Round]], prefix: str) -> dict[str, float]:
    """Return rate (work per CPU-second) and peak memory (MiB) of each variant as flat named figures."""
    flat: dict[str, float] = {}
    for name, rounds in results.items():
        flat[f"{prefix}/{name}/tokens_per_cpu_second"] = statistics.median(each.rate for each in rounds)
        flat[f"{prefix}/{name}/peak_mib"] = max(each.peak_bytes for each in rounds) / 2**20
    return flat


def write_json(path: Path | None, benchmark: str, values: Mapping[str, float]) -> None:
    """Write the figures with the hardware, versions and date they belong to; do nothing without a path."""
    if path is None:
        return
    record = {
        "benchmark": benchmark,
        "figures": {name: round(value, 4) for name, value in values.items()},
        "hardware": hardware(),
        "versions": {"python": sys.version.split()[0]} | versions(),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n")


def hardware() -> dict[str, Any]:
    """Return the processor, its cores and the memory of this machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = {line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": ", ".join(sorted(models)), "cores": os.cpu_count(), "memory_gib": round(memory / 2**30, 1)}


def versions() -> dict[str, str]:
    """Return the installed versions of the packages that matter to a speed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except ImportError:
            continue
    return found
