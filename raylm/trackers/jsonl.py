"""The run's own metrics files are the tracker; `path` adds a copy in a single file for other tools."""

from pathlib import Path
from typing import Literal

from raylm.config.errors import BadInput
from raylm.config.sections import knob
from raylm.runs.folder import Folder
from raylm.runs.lines import LineLog
from raylm.runs.records import StepRecord
from raylm.runs.run import Run
from raylm.trackers import Tracker, TrackerHandle


class Jsonl(Tracker):
    """JSON lines. Every run keeps them in its directory in any case."""

    kind: Literal["jsonl"] = "jsonl"
    path: str | None = knob(None)
    """File that gets a copy of each record; none by default."""

    def open(self, run: Run, attempt: int) -> TrackerHandle:
        del run, attempt  # the run's own files are there without being asked for
        return _Copy(self.path)


class _Copy:
    def __init__(self, path: str | None) -> None:
        self._log: LineLog | None = None
        if path is None:
            return
        file = Path(path).expanduser().absolute()
        try:
            self._log = LineLog(Folder.open(file.parent), file.name)
        except OSError as error:
            raise BadInput.one(
                "trackers.path", f"cannot write {file}: {error.strerror}", code="tracker"
            ) from None

    def log(self, record: StepRecord) -> None:
        if self._log is not None:
            self._log.append(record.to_line())

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
