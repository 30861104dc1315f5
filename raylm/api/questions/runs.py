"""Watching, stopping and resuming runs."""

import sys
from collections.abc import Sequence
from typing import ClassVar

from raylm.api import launch as runner
from raylm.api.history import Histories
from raylm.api.questions import Json, Place, Questions
from raylm.config.errors import BadInput, RunFailed
from raylm.runs.listing import Listing
from raylm.runs.read import log_names, log_tail, read
from raylm.runs.summary import summary

MOST_RUNS = 200  # that a list shows unless asked for more
MOST_ASKED = 1000  # that may be asked for at once
LOG_TAIL = 500  # lines that a log begins with


class Runs(Questions):
    """The questions of a run's window."""

    READS: ClassVar = ("runs", "run", "history", "read")
    COMMANDS: ClassVar = ("stop", "resume")
    LIGHT: ClassVar = (*READS, "stop")

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._listing = Listing()
        self._histories = Histories()

    def runs(
        self,
        limit: int = MOST_RUNS,
        offset: int = 0,
        search: str = "",
        is_live: bool = False,  # noqa: FBT001, FBT002 - a JSON argument
    ) -> list[Json]:
        """Return at most `limit` runs from the `offset`-th on, newest first.

        `search` holds words, in any case, that a run's id and name must all contain; `is_live` leaves out
        those that have ended.
        """
        _check_page(limit, offset, search)
        if not isinstance(is_live, bool):
            raise BadInput.one("is_live", f"{str(is_live)[:80]!r} is neither true nor false", code="page")
        ask = self._listing.live if is_live else self._listing.page
        return ask(self.place.storages(), limit, offset, search)

    def run(self, run_id: str) -> Json:
        """Return one run, with the names of its logs."""
        run = self.place.find(run_id)
        return {**summary(run), "logs": log_names(run), "launches": run.launches()}

    def history(self, run_id: str, cursor: str | None = None, keys: Sequence[str] | None = None) -> Json:
        """Return the curve of the metrics in `keys` (all), reduced to what a screen can show, or what to add.

        See `raylm.api.history`.
        """
        _check_text("cursor", cursor)
        if keys is not None and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
            raise BadInput.one("keys", f"{str(keys)[:80]!r} is no list of names", code="keys")
        return self._histories.answer(self.place.find(run_id), cursor, keys)

    def read(self, run_id: str, stream: str, cursor: str | None = None) -> Json:
        """Return {"records", "cursor"} of a stream behind the cursor; a log begins with its last lines."""
        run = self.place.find(run_id)
        if stream.startswith("logs/") and cursor is None:
            records, cursor = log_tail(run, stream, LOG_TAIL)
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


def _check_page(limit: int, offset: int, search: str) -> None:
    for field, value, least, most in (("limit", limit, 1, MOST_ASKED), ("offset", offset, 0, sys.maxsize)):
        if type(value) is not int or not least <= value <= most:  # True is an int too
            raise BadInput.one(field, f"{value!r} is not a whole number from {least} to {most}", code="page")
    if not isinstance(search, str):
        raise BadInput.one("search", f"{search!r} is not a text", code="page")


def _check_text(field: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise BadInput.one(field, f"{str(value)[:80]!r} is not a text", code=field)
