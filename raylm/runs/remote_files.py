"""A run directory's files on an object store, or any other filesystem that fsspec reaches."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO, TypeVar, cast

import fsspec

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_PAUSES = (0.2, 0.8, 3.2)  # seconds between tries of a call that the store refused or dropped
_FINAL = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
# A store without a conditional put is at least exact among the threads of one process.
_CREATING = threading.Lock()


class RemoteFiles:
    """Files by fsspec path. A put is atomic; there are no folders, no renames and no appends."""

    is_local = False
    access = "private"  # who may read is the bucket's policy

    def __init__(self, filesystem: fsspec.AbstractFileSystem) -> None:
        self.filesystem = filesystem

    def uri(self, path: str) -> str:
        return self.filesystem.unstrip_protocol(path)

    def make(self, path: str) -> None:
        """Nothing to do: an object store's folders are its objects' names."""

    def read(self, path: str, start: int = 0, stop: int | None = None) -> bytes:
        """Return bytes `start` to `stop`; nothing when the file ends before `start`."""
        if (start or stop is not None) and self.size(path) <= start:
            return b""  # stores answer a range behind the end with an error
        return cast(
            "bytes", _patiently(lambda: self.filesystem.cat_file(path, start=start or None, end=stop))
        )

    def write(self, path: str, data: bytes) -> None:
        _patiently(lambda: self.filesystem.pipe_file(path, data))

    def create(self, path: str, data: bytes) -> None:
        """Put a file only if there is none: of many callers one wins, the others get FileExistsError."""
        tries = 0

        def put() -> None:
            nonlocal tries
            tries += 1
            try:
                with _CREATING:
                    self.filesystem.pipe_file(path, data, mode="create")
            except FileExistsError:
                # A try whose answer was lost may have put it after all.
                if tries == 1 or self.filesystem.cat_file(path) != data:
                    raise

        _patiently(put)

    def open_read(self, path: str) -> BinaryIO:
        return cast("BinaryIO", _patiently(lambda: self.filesystem.open(path, "rb")))

    def open_write(self, path: str) -> Any:
        """Open an object for streaming; it appears when it is closed."""
        return _patiently(lambda: self.filesystem.open(path, "wb"))

    def finish(self, file: Any) -> None:
        file.close()

    def sync(self, path: str) -> None:
        """Nothing to do: what a store has acknowledged is durable."""

    def names(self, path: str) -> list[str]:
        try:
            found = _patiently(lambda: self.filesystem.ls(path, detail=False, refresh=True))
        except FileNotFoundError:
            return []
        names = {str(name).rstrip("/").rpartition("/")[2] for name in found}
        return sorted(
            names - {path.rstrip("/").rpartition("/")[2]} | {n for n in names if f"{path}/{n}" in found}
        )

    def exists(self, path: str) -> bool:
        return _patiently(lambda: self.filesystem.exists(path))

    def size(self, path: str) -> int:
        return int(_patiently(lambda: self.filesystem.info(path))["size"])

    def stamp(self, path: str) -> str:
        """Return a text that changes whenever the object is put again."""
        return str(_patiently(lambda: self.filesystem.ukey(path)))

    def remove(self, path: str) -> None:
        _patiently(lambda: self.filesystem.rm_file(path))

    def remove_tree(self, path: str) -> None:
        if self.exists(path):
            _patiently(lambda: self.filesystem.rm(path, recursive=True))


def _patiently(call: Callable[[], T]) -> T:
    """Return `call()`, tried again after a pause where the store failed in a way that may pass."""
    for pause in _PAUSES:
        try:
            return call()
        except _FINAL:
            raise
        except OSError as error:
            _LOG.warning("storage: %s; trying again in %.1f s", error, pause)
            time.sleep(pause)
    return call()
