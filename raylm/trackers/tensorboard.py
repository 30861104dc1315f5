"""TensorBoard event files, written without torch or TensorFlow."""

from pathlib import Path
from typing import Any, Literal

from raylm.config.errors import BadInput
from raylm.config.sections import knob
from raylm.runs.records import StepRecord
from raylm.runs.run import Run
from raylm.trackers import Tracker, TrackerHandle


class TensorBoard(Tracker):
    """Curves for `tensorboard --logdir`."""

    kind: Literal["tensorboard"] = "tensorboard"
    path: str | None = knob(None)
    """Folder of the event files; by default `tensorboard` in the run's directory."""

    def open(self, run: Run, attempt: int) -> TrackerHandle:
        del attempt  # the restart shows as steps that fall back
        folder = Path(self.path).expanduser() if self.path else run.folder.local_path("tensorboard")
        if folder is None:
            mend = "set path to a local folder"
            raise BadInput.one(
                "trackers.path", "tensorboard cannot write to this storage", mend, code="tracker"
            )
        try:
            return _EventFile(folder)
        except OSError as error:
            message = f"cannot write {folder}: {error.strerror}"
            raise BadInput.one("trackers.path", message, code="tracker") from None


class _EventFile:
    def __init__(self, folder: Path) -> None:
        self._message, writer = _tensorboard()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._writer = writer(str(folder))
        self._last_step: int | None = None

    def log(self, record: StepRecord) -> None:
        if self._last_step is None or record.step <= self._last_step:
            self._begin(record)
        self._last_step = record.step
        values = [self._message.scalar(key, value) for key, value in record.metrics.items()]
        self._writer.add_event(self._message.event(record, values))

    def close(self) -> None:
        self._writer.close()

    def _begin(self, record: StepRecord) -> None:
        """Make TensorBoard forget what an earlier attempt measured from this step on."""
        self._writer.add_event(self._message.start(record))


class _Messages:
    """The three protocol buffers an event file is made of."""

    def __init__(self, event: Any, summary: Any) -> None:
        self._event = event
        self._summary = summary

    def scalar(self, key: str, value: float) -> Any:
        return self._summary.Summary.Value(tag=key, simple_value=value)

    def event(self, record: StepRecord, values: list[Any]) -> Any:
        summary = self._summary.Summary(value=values)
        return self._event.Event(wall_time=record.time, step=record.step, summary=summary)

    def start(self, record: StepRecord) -> Any:
        session = self._event.SessionLog(status=self._event.SessionLog.START)
        return self._event.Event(wall_time=record.time, step=record.step, session_log=session)


def _tensorboard() -> tuple[_Messages, Any]:
    try:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError:
        mend = "pip install 'raylm[tensorboard]'"
        raise BadInput.one(
            "trackers.kind", "tensorboard is not installed", mend, code="missing_package"
        ) from None
    return _Messages(event_pb2, summary_pb2), EventFileWriter
