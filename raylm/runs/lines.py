"""Files of lines: appending to them, and reading whole lines from an offset while somebody writes."""

import errno
import json
import threading
import weakref
from typing import Any, NamedTuple

from raylm.runs.folder import Folder
from raylm.runs.local_files import LocalFiles, explain_full_disk

_CHUNK = 1 << 20  # bytes read at a time


class Line(NamedTuple):
    """One whole line without its newline, and the offset of the byte behind it."""

    data: bytes
    end: int


class LineLog:
    """Appends lines to one file that no one else writes.

    Where a filesystem cannot append, the lines so far are kept in memory and the object is put again whole.
    """

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder = folder
        self._name = name
        self._lock = threading.Lock()
        self._sent = b""
        self._file = None
        if isinstance(folder.files, LocalFiles):
            self._disk = folder.files.disk
            self._file = folder.files.open_append(f"{folder.path}/{name}")
            weakref.finalize(self, self._file.close)  # the log of a run's events has no owner that would

    def append(self, line: bytes, *, durable: bool = False) -> None:
        """Append one line, which ends with a newline. `durable` waits for the disk."""
        if self._file is None:
            with self._lock:
                self._folder.write(self._name, self._sent + line)
                self._sent += line
            return
        with explain_full_disk(f"{self._folder.path}/{self._name}", len(line)):
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, "the disk took only a part of a line", self._name)
            if durable:
                self._disk.sync_file(self._file)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def whole_lines(folder: Folder, name: str, offset: int = 0, limit: int = 1000) -> list[Line]:
    """Return up to `limit` lines that start at `offset`; a last line without its newline is not there yet."""
    data, span = b"", _CHUNK
    while b"\n" not in data:
        data = folder.read(name, offset, offset + span)
        if len(data) < span:
            break
        span *= 4  # one line longer than all that was read
    lines, start = [], 0
    while len(lines) < limit and (end := data.find(b"\n", start)) >= 0:
        lines.append(Line(data[start:end], offset + end + 1))
        start = end + 1
    return lines


def parse_line(data: bytes) -> dict[str, Any] | None:
    """Return a line's JSON object; None for a line that a crash or a full disk left torn."""
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
