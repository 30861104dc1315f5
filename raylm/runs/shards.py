"""Streaming a checkpoint's file to any filesystem, hashed as it is written."""

import hashlib
import io
from typing import Any

from raylm.runs.folder import Folder
from raylm.runs.local_files import explain_full_disk
from raylm.runs.manifest import FileEntry


class ShardWriter(io.RawIOBase):
    """A write-only file that knows its sha256 and size; `entry` is there once it is closed.

    Local files are fsynced on close. Leaving a `with` block by an error closes the file and gives no entry.
    """

    def __init__(self, folder: Folder, name: str) -> None:
        super().__init__()
        self.name = name
        self._folder = folder
        self._file: Any = folder.writer(name)
        self._hash = hashlib.sha256()
        self._size = 0
        self._entry: FileEntry | None = None

    @property
    def entry(self) -> FileEntry:
        """Name, bytes and sha256, for the manifest."""
        assert self._entry is not None, f"{self.name} is not closed, or could not be written"
        return self._entry

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: Any, /) -> int:
        """Write all of a bytes-like object."""
        view = memoryview(data).cast("B")
        rest = view
        with explain_full_disk(f"{self._folder.path}/{self.name}", len(view)):
            while rest:
                rest = rest[self._file.write(rest) :]
        self._hash.update(view)
        self._size += len(view)
        return len(view)

    def close(self) -> None:
        if self.closed:
            return
        try:
            self._folder.finish(self._file)
            self._entry = FileEntry(self.name, self._size, self._hash.hexdigest())
        finally:
            super().close()

    def abort(self) -> None:
        """Close without an entry: the file is not whole and must not reach a manifest."""
        if not self.closed:
            super().close()
            (getattr(self._file, "discard", None) or self._file.close)()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            self.close()
        else:
            self.abort()


def open_shard_writer(folder: Folder, name: str) -> ShardWriter:
    """Open `name` in a staging folder for streaming; after `close()` its `entry` goes to rank 0.

    Raises:
        OSError: the disk is full; the message has the path, the need and what is free.
    """
    return ShardWriter(folder, name)
