"""The steps that runs have saved, for screens that ask for those of many runs every few seconds."""

from __future__ import annotations

import time
from typing import NamedTuple

from raylm.runs.listing import Stamp, is_settled, stamp_of
from raylm.runs.run import Run

REMOTE_SECONDS = 10.0


class _Known(NamedTuple):
    steps: tuple[int, ...]
    stamp: Stamp
    """When the folder had last changed; nothing on an object store, whose folders have no such time."""
    asked: float


class SavedSteps:
    """What has not changed is not listed again.

    On a local filesystem a run's steps are known for as long as the modification time of its checkpoints'
    folder stays: each is renamed into it and out of it. On an object store they are asked for again after
    some seconds, and until then may miss one that was just saved, or name one that was just deleted.
    """

    def __init__(self, remote_seconds: float = REMOTE_SECONDS) -> None:
        self._remote_seconds = remote_seconds
        self._known: dict[str, _Known] = {}

    def of(self, run: Run) -> list[int]:
        """Return the steps that have a checkpoint, ascending, good or bad."""
        path = run.checkpoints.folder.local_path()
        stamp = stamp_of(path) if path else ()
        if path and not stamp:
            return []  # it has saved nothing yet
        known = self._known.get(run.uri)
        is_young = known is not None and time.monotonic() - known.asked < self._remote_seconds
        if known is None or not (stamp == known.stamp if path else is_young):
            known = _Known(tuple(run.checkpoints.steps()), stamp, time.monotonic())
            if not path or is_settled(stamp):
                self._known[run.uri] = known
        return list(known.steps)
