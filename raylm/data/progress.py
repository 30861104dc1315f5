"""How far a preparation is: a plain value for whoever shows it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class Progress:
    """One stage of a preparation: bytes done of how many, and for how long it has run."""

    stage: str
    done: int
    total: int | None
    """None where it is not known beforehand."""
    seconds: float
    message: str = ""
    """Something to tell the person, once."""

    @property
    def eta_seconds(self) -> float | None:
        """Seconds left at the present rate; None while it cannot be told."""
        if self.total is None or not self.done:
            return None
        return self.seconds * (self.total - self.done) / self.done


class Meter:
    """Counts bytes and reports them at most ten times a second, and at both ends of each stage."""

    def __init__(self, report: Callable[[Progress], None] | None) -> None:
        self._report = report
        self._stage = ""
        self._total: int | None = None
        self._done = 0
        self._start = self._reported = 0.0

    def begin(self, stage: str, total: int | None = None) -> None:
        """Start counting a stage of `total` bytes."""
        self._stage, self._total, self._done = stage, total, 0
        self._start = time.monotonic()
        self._send()

    def add(self, num_bytes: int) -> None:
        self._done += num_bytes
        if time.monotonic() - self._reported >= _EVERY_SECONDS:
            self._send()

    def end(self) -> None:
        """Report the stage as complete."""
        self._total = self._done
        self._send()

    def say(self, message: str) -> None:
        """Tell the person something."""
        self._send(message)

    def _send(self, message: str = "") -> None:
        self._reported = time.monotonic()
        if self._report is not None:
            seconds = self._reported - self._start
            self._report(Progress(self._stage, self._done, self._total, seconds, message))
