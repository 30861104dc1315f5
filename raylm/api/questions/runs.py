"""Watching, stopping and resuming runs."""

from collections.abc import Sequence
from typing import ClassVar

from raylm.api import launch as runner
from raylm.api.history import history
from raylm.api.questions import Json, Questions
from raylm.config.errors import RunFailed
from raylm.runs.read import log_names, read
from raylm.runs.run import Run
from raylm.runs.summary import summary

MOST_RUNS = 200  # that a list shows
LOG_TAIL = 500  # lines that a log begins with


class Runs(Questions):
    """The questions of a run's window."""

    READS: ClassVar = ("runs", "run", "history", "read")
    COMMANDS: ClassVar = ("stop", "resume")

    def runs(self) -> list[Json]:
        """Return the newest runs, newest first."""
        return [summary(run) for run in self.place.recent_runs(MOST_RUNS)]

    def run(self, run_id: str) -> Json:
        """Return one run, with the names of its logs."""
        run = self.place.find(run_id)
        return {**summary(run), "logs": log_names(run), "launches": run.launches()}

    def history(self, run_id: str) -> Json:
        """Return {"records", "cursor"}: the whole curve, thinned to what a screen can show."""
        records, cursor = history(self.place.find(run_id))
        return {"records": records, "cursor": cursor}

    def read(self, run_id: str, stream: str, cursor: str | None = None) -> Json:
        """Return {"records", "cursor"} of a stream behind the cursor; a log begins with its last lines."""
        run = self.place.find(run_id)
        if stream.startswith("logs/") and cursor is None:
            records, cursor = _tail(run, stream)
        else:
            records, cursor = read(run, stream, cursor)
        return {"records": records, "cursor": cursor}

    def stop(self, run_id: str) -> Json:
        """Ask the run to save a checkpoint and end; returns the run at once, as it is then."""
        run = self.place.find(run_id)
        try:
            runner.stop(run, seconds=0)
        except RunFailed:
            if run.status().status != "stopping":
                raise
        return summary(run)

    def resume(self, run_id: str, overrides: Sequence[str] = ()) -> Json:
        """Start the run again in the background, with some fields changed; returns it."""
        return summary(runner.resume(self.place.find(run_id), overrides, in_background=True))


def _tail(run: Run, stream: str) -> tuple[list[Json], str]:
    records, cursor = read(run, stream, None)
    last = records
    while last:
        last, cursor = read(run, stream, cursor, limit=10_000)
        records = (records + last)[-LOG_TAIL:]
    return records[-LOG_TAIL:], cursor
