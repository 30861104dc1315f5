"""Trackers: where a run's numbers go besides the run directory, which always has them."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from raylm.config.choice import Choice, discover
from raylm.runs.append import MetricsWriter
from raylm.runs.records import StepRecord
from raylm.runs.run import Run


class TrackerHandle(Protocol):
    """An open tracker, fed by rank 0."""

    def log(self, record: StepRecord) -> None:
        """Take one step's numbers; steps rise, and fall back once at each restart."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


class Tracker(Choice):
    """One more place for a run's numbers."""

    @abstractmethod
    def open(self, run: Run, attempt: int) -> TrackerHandle:
        """Begin to track an attempt of a run.

        Raises:
            BadInput: the tracker's package is missing, or it cannot write where it is told to.
        """


def open_all(run: Run, attempt: int, trackers: Sequence[Tracker]) -> list[TrackerHandle]:
    """Open the run's own metrics, which every run has, and then the recipe's trackers."""
    return [_Store(run, attempt), *(tracker.open(run, attempt) for tracker in trackers)]


class _Store:
    def __init__(self, run: Run, attempt: int) -> None:
        self._writer = MetricsWriter(run, attempt)

    def log(self, record: StepRecord) -> None:
        self._writer.append(record)

    def close(self) -> None:
        self._writer.close()


discover(__name__)
