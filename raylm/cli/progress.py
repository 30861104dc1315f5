"""The progress line of a run in the foreground, read from the run directory like every other view."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from raylm.runs.read import clean, read
from raylm.runs.run import Run

LOOK_EVERY_S = 0.25


class Watcher:
    """Follows a run's metrics and events by cursor, and draws one line on a terminal."""

    def __init__(self, run: Run, console: Console) -> None:
        self._run = run
        self._cursors: dict[str, str | None] = {"metrics": None, "events": None}
        self._eval = ""
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=console,
            expand=True,
        )
        self._task = self._progress.add_task("starting", total=None, numbers="")

    def look(self) -> None:
        """Draw what is new."""
        for event in self._news("events"):
            self._show_event(event)
        records = self._news("metrics")
        for record in records:
            if record.get("eval/loss") is not None:
                self._eval = f"  val {record['eval/loss']:.4f}"
        if records:
            self._show(records[-1])

    def _news(self, stream: str) -> list[dict[str, Any]]:
        records, self._cursors[stream] = read(self._run, stream, self._cursors[stream], limit=100_000)
        return records

    def _show_event(self, event: dict[str, Any]) -> None:
        name = event["event"]
        if name == "started":
            self._progress.update(self._task, description="training", total=event.get("last_step"))
        elif name in ("worker_lost", "checkpoint_bad"):
            self._progress.console.print(clean(f"{name}: {event.get('reason', '')}"), markup=False)

    def _show(self, record: dict[str, Any]) -> None:
        loss, rate = record.get("train/loss"), record.get("throughput/tokens_per_second") or 0
        numbers = f"loss {loss if loss is None else format(loss, '.4f')}{self._eval}  {rate:,.0f} tok/s"
        self._progress.update(self._task, completed=record["step"], numbers=numbers)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Draw until the block ends."""
        is_over = threading.Event()

        def follow() -> None:
            while not is_over.wait(LOOK_EVERY_S):
                self.look()

        thread = threading.Thread(target=follow, name="raylm-progress", daemon=True)
        with self._progress:
            thread.start()
            try:
                yield
            finally:
                is_over.set()
                thread.join()
                self.look()


@contextlib.contextmanager
def progress(run: Run) -> Iterator[None]:
    """Show a run's progress on the standard error while the block runs; silent when that is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    with Watcher(run, Console(stderr=True)).watching():
        yield
