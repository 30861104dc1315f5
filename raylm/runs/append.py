"""Writing the curve: one line a step, in segments that only rank 0 of one attempt writes."""

import os
import threading
from typing import Protocol

from raylm.runs.folder import Folder
from raylm.runs.lines import LineLog
from raylm.runs.local_files import explain_full_disk
from raylm.runs.records import StepRecord
from raylm.runs.run import Run
from raylm.runs.segments import Segment, segments

SEGMENT_BYTES = 1 << 18  # an object that grows is put again whole, so it must stay small
FLUSH_EVERY_S = 3.0


class MetricsWriter:
    """Appends step records to the run, for one attempt.

    On a local filesystem a record can be read as soon as `append` returns, and survives the death of the
    process; on an object store it can after a few seconds, or after `close`.
    """

    def __init__(self, run: Run, attempt: int) -> None:
        self._attempt = attempt
        self._sink: _Sink = (
            _local(run.folder, attempt) if run.folder.is_local else _Upload(run.folder, attempt)
        )

    def append(self, record: StepRecord) -> None:
        """Write one record."""
        assert record.attempt == self._attempt, "a record belongs to the attempt that measured it"
        self._sink.append(record.to_line())

    def close(self) -> None:
        """Write what is left; raises OSError when the store did not take it."""
        self._sink.close()


def seal(run: Run, attempt: int) -> None:
    """Cut the torn last line off the segments of attempts before `attempt`; only for who holds the run."""
    for segment in segments(run.folder):
        path = run.folder.local_path(segment.name)
        if segment.attempt < attempt and path is not None:
            _cut_torn_tail(str(path))


def next_attempt(run: Run) -> int:
    """Return the number of the next start of the worker group."""
    written = max((segment.attempt for segment in segments(run.folder)), default=0)
    return max(written, run.status().attempt) + 1


class _Sink(Protocol):
    def append(self, line: bytes, /) -> None: ...

    def close(self) -> None: ...


def _local(folder: Folder, attempt: int) -> LineLog:
    name = Segment(attempt, 0).name
    path = folder.local_path(name)
    assert path is not None
    if path.exists():
        _cut_torn_tail(str(path))
    return LineLog(folder, name)


class _Upload:
    """Lines on their way to an object store, sent every few seconds by a thread of its own."""

    def __init__(self, folder: Folder, attempt: int) -> None:
        self._folder = folder
        taken = [segment.number for segment in segments(folder) if segment.attempt == attempt]
        self._segment = Segment(attempt, max(taken, default=-1) + 1)
        self._lines = bytearray()
        self._sent = 0
        self._lock = threading.Lock()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._send_often, name="raylm-metrics", daemon=True)
        self._thread.start()

    def append(self, line: bytes) -> None:
        with self._lock:
            self._lines += line

    def close(self) -> None:
        self._is_closing.set()
        self._thread.join()
        self._send()

    def _send_often(self) -> None:
        while not self._is_closing.wait(FLUSH_EVERY_S):
            try:
                self._send()
            except OSError:
                continue  # the lines are kept and sent next time, or reported by close

    def _send(self) -> None:
        with self._lock:
            data = bytes(self._lines)
        if len(data) == self._sent:
            return
        self._folder.write(self._segment.name, data)
        self._sent = len(data)
        if self._sent >= SEGMENT_BYTES:
            with self._lock:
                del self._lines[: self._sent]
            self._segment, self._sent = self._segment.next(), 0


def _cut_torn_tail(path: str) -> None:
    with open(path, "r+b") as file, explain_full_disk(path):  # noqa: PTH123
        end = position = file.seek(0, os.SEEK_END)
        while position > 0:
            start = max(0, position - 4096)
            file.seek(start)
            newline = file.read(position - start).rfind(b"\n")
            if newline >= 0:
                position = start + newline + 1
                break
            position = start
        if position < end:
            file.truncate(position)
            os.fsync(file.fileno())
