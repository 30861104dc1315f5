"""What lately happened to the runs that a cluster works on: workers were lost, runs went on without them."""

import threading
from collections.abc import Iterable
from typing import Any

from raylm.runs.read import read
from raylm.runs.run import Run

KINDS = frozenset({"worker_lost", "resumed", "resized", "preempted"})
MOST = 20  # that are told, the newest
_FACTS = ("time", "event", "step", "reason")


class Incidents:
    """The incidents of some runs. What was read of a run's events is not read again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str | None, list[dict[str, Any]]]] = {}
        self._turn = threading.Lock()

    def of(self, runs: Iterable[Run]) -> list[dict[str, Any]]:
        """Return the newest incidents, newest first: {"run_id", "time", "event", "step", "reason"}."""
        with self._turn:
            known = {run.uri: self._read_on(run) for run in runs}
            self._known = known  # runs that are not asked for any more are forgotten
            found = [incident for _, incidents in known.values() for incident in incidents]
        return sorted(found, key=lambda one: one["time"] or 0, reverse=True)[:MOST]

    def _read_on(self, run: Run) -> tuple[str | None, list[dict[str, Any]]]:
        cursor, incidents = self._known.get(run.uri, (None, []))
        while True:
            events, cursor = read(run, "events", cursor)
            incidents = [
                *incidents,
                *(
                    {"run_id": run.run_id, **{name: event.get(name) for name in _FACTS}}
                    for event in events
                    if event.get("event") in KINDS
                ),
            ][-MOST:]
            if not events:
                return cursor, incidents
