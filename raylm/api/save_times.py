"""When the checkpoints of runs were saved, read on from where a screen's last question ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from raylm.runs.read import read
from raylm.runs.run import Run

_AT_ONCE = 10_000  # events


@dataclass
class _Read:
    """What was read of one run."""

    cursor: str | None = None
    times: dict[int, float] = field(default_factory=dict)


class SaveTimes:
    """Of each run the events that are new since it was last asked for."""

    def __init__(self) -> None:
        self._runs: dict[str, _Read] = {}
        self._lock = threading.Lock()  # a cursor that two threads move would leave events out

    def of(self, run: Run) -> dict[int, float]:
        """Return when each step's checkpoint was last saved, in seconds since 1970."""
        with self._lock:
            known = self._runs.setdefault(run.uri, _Read())
            while True:
                events, known.cursor = read(run, "events", known.cursor, _AT_ONCE)
                for event in events:
                    if event.get("event") == "checkpoint_saved" and "step" in event and "time" in event:
                        known.times[event["step"]] = event["time"]
                if not events:
                    return dict(known.times)
