"""What open panels cost a training run: its steps per CPU-second with twenty readers and without, in turn."""

import statistics
import subprocess
import sys
import threading
from pathlib import Path

from bench.harness import ROOT, Child, Round, Variant
from raylm.api.store import Store
from raylm.runs.catalogue import list_runs

PANELS = 20
POLL_S = 0.5
LIST_EVERY = 4  # polls
STEPS = 100  # of a round


def measure(folder: Path, rounds: int) -> dict[str, float]:
    """Return the slowdown in percent, median over pairs of rounds, and how even the rounds were."""
    storage = folder / "cost-runs"
    options = {
        "recipe": str(ROOT / "bench" / "recipes" / "panel.yaml"),
        "storage": str(storage),
        "overrides": [],
    }
    training = Child(Variant("training", "raylm_loop", options), STEPS, threads=1)
    training.wait_until_ready()
    run_id = list_runs([str(storage)])[0].run_id
    readers = Readers(str(storage), run_id)
    pairs: list[tuple[Round, Round]] = []
    try:
        for number in range(rounds + 1):
            pair = {is_watched: taken(training, readers, is_watched) for is_watched in order(number)}
            if number:  # the first is the warm-up
                pairs.append((pair[True], pair[False]))
            print(f"cost: round {number} of {rounds}", file=sys.stderr)
    finally:
        polls = readers.close()
        training.close()
    ratios = [watched.rate / alone.rate for watched, alone in pairs]
    quarter = statistics.quantiles(ratios, n=4)
    return {
        "cost/panels": PANELS,
        "cost/polls": polls,
        "cost/steps_per_cpu_second": STEPS / statistics.median(alone.cpu_seconds for _, alone in pairs),
        "cost/slowdown_percent": 100 * (1 - statistics.median(ratios)),
        "cost/slowdown_quartiles_apart_percent": 100 * (quarter[2] - quarter[0]),
    }


def order(number: int) -> tuple[bool, bool]:
    """Return whether to begin the pair with readers or without."""
    return (True, False) if number % 2 else (False, True)


def taken(training: Child, readers: "Readers", is_watched: bool) -> Round:  # noqa: FBT001
    """Let training take one round."""
    readers.tell("go" if is_watched else "rest")
    return training.round()


class Readers:
    """A process that polls as a Jupyter server with twenty open panels does, while it is told to."""

    def __init__(self, storage: str, run_id: str) -> None:
        command = [sys.executable, "-m", "bench.panel_cost", storage, run_id]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def tell(self, word: str) -> str:
        """Say `go` or `rest`, and wait until it is so."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        return self._process.stdout.readline().strip()

    def close(self) -> int:
        """End the process; returns how often it polled."""
        polls = int(self.tell("rest") or 0)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        return polls


class Panel:
    """One reader."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._asked = {"run_id": run_id}
        self._cursors: dict[str, str | None] = {}
        self.polls = 0

    def poll(self) -> None:
        """Ask what an open Monitor asks."""
        if self.polls % LIST_EVERY == 0:
            self._store.answer("runs", {})
        self.polls += 1
        run = self._store.answer("run", self._asked)["result"]
        self._follow("history", {})
        self._follow("read", {"stream": "events"})
        for name in run["logs"][:1]:
            self._follow("read", {"stream": f"logs/{name}"})

    def _follow(self, method: str, more: dict[str, str]) -> None:
        key = more.get("stream", method)
        answer = self._store.answer(method, {**self._asked, **more, "cursor": self._cursors.get(key)})
        self._cursors[key] = answer["result"]["cursor"]


def main() -> None:
    """Be the process of the readers."""
    storage, run_id = sys.argv[1:]
    store = Store(storage)
    panels = [Panel(store, run_id) for _ in range(PANELS)]
    is_over, may_go = threading.Event(), threading.Event()

    def read(panel: Panel, delay: float) -> None:
        is_over.wait(delay)  # panels do not poll all at once
        while not is_over.wait(POLL_S):
            if may_go.is_set():
                panel.poll()

    threads = [
        threading.Thread(target=read, args=(panel, number * POLL_S / PANELS), daemon=True)
        for number, panel in enumerate(panels)
    ]
    for thread in threads:
        thread.start()
    for line in sys.stdin:
        (may_go.set if line.strip() == "go" else may_go.clear)()
        print(sum(panel.polls for panel in panels), flush=True)
    is_over.set()
    for thread in threads:
        thread.join(10)


if __name__ == "__main__":
    main()
