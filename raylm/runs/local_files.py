"""A run directory's files on a local or shared filesystem: durable, atomic, and closed to other people."""

import errno
import os
import shutil
import uuid
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Literal

from raylm.runs.disk import Disk

Access = Literal["private", "group"]
_MODES: dict[Access, tuple[int, int]] = {"private": (0o700, 0o600), "group": (0o2770, 0o660)}
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class LocalFiles:
    """Files by absolute path. Folders are 0700 and files 0600, or 2770 and 0660 for `group`."""

    is_local = True

    def __init__(self, access: Access = "private", disk: Disk | None = None) -> None:
        self.access: Access = access
        self.disk = disk or Disk()
        self._folder_mode, self._file_mode = _MODES[access]

    def uri(self, path: str) -> str:
        return path

    def make(self, path: str) -> None:
        """Make a folder and its missing parents, durably; one that exists is left as it is."""
        parent = os.path.dirname(path)  # noqa: PTH120
        if not os.path.isdir(parent):  # noqa: PTH112
            self.make(parent)
        try:
            self.disk.make_folder(path, self._folder_mode)
        except FileExistsError:
            if not os.path.isdir(path):  # noqa: PTH112
                raise NotADirectoryError(
                    errno.ENOTDIR, "a file stands where a folder is needed", path
                ) from None
        else:
            self.disk.sync_folder(parent)

    def read(self, path: str, start: int = 0, stop: int | None = None) -> bytes:
        with Path(path).open("rb") as file:
            file.seek(start)
            return file.read() if stop is None else file.read(stop - start)

    def write(self, path: str, data: bytes) -> None:
        """Put a file in one step: a reader, or a crash, sees the old bytes or the new ones."""
        written = self._write_aside(path, data)
        self.disk.rename(written, path)
        self.disk.sync_folder(os.path.dirname(path))  # noqa: PTH120

    def create(self, path: str, data: bytes) -> None:
        """Put a file only if there is none: of many callers one wins, the others get FileExistsError."""
        written = self._write_aside(path, data)
        try:
            self.disk.link(written, path)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            self._create_without_link(path, data)
        finally:
            self.disk.remove(written)
        self.disk.sync_folder(os.path.dirname(path))  # noqa: PTH120

    def open_read(self, path: str) -> BinaryIO:
        return Path(path).open("rb")

    def open_write(self, path: str) -> FileIO:
        """Open a new file, its folder made if missing; the caller syncs and closes it."""
        return self._in_folder(path, self.disk.open_new)

    def open_append(self, path: str) -> FileIO:
        return self._in_folder(path, self.disk.open_append)

    def finish(self, file: FileIO) -> None:
        """Make a file written through `open_write` durable, and close it."""
        with file, explain_full_disk(str(file.name)):
            self.disk.sync_file(file)

    def sync(self, path: str) -> None:
        self.disk.sync_folder(path)

    def names(self, path: str) -> list[str]:
        try:
            return sorted(os.listdir(path))  # noqa: PTH208
        except FileNotFoundError:
            return []

    def exists(self, path: str) -> bool:
        return os.path.lexists(path)

    def size(self, path: str) -> int:
        return os.stat(path).st_size  # noqa: PTH116

    def stamp(self, path: str) -> str:
        """Return a text that changes whenever the file is written again."""
        stat = os.stat(path)  # noqa: PTH116
        return f"{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}"

    def rename(self, path: str, target: str) -> None:
        """Rename within one folder, durably."""
        self.disk.rename(path, target)
        self.disk.sync_folder(os.path.dirname(target))  # noqa: PTH120

    def remove(self, path: str) -> None:
        self.disk.remove(path)

    def remove_tree(self, path: str) -> None:
        self.disk.remove_tree(path)

    def _write_aside(self, path: str, data: bytes) -> str:
        folder, name = os.path.split(path)
        aside = os.path.join(folder, f".tmp-{name}-{uuid.uuid4().hex[:8]}")  # noqa: PTH118
        try:
            file = self.open_write(aside)
            with explain_full_disk(path, len(data)):
                _write_all(file, data)
            self.finish(file)
        except BaseException:
            if os.path.lexists(aside):
                self.disk.remove(aside)
            raise
        return aside

    def _create_without_link(self, path: str, data: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self._file_mode)
        with FileIO(descriptor, "wb") as file:
            _write_all(file, data)
            self.disk.sync_file(file)

    def _in_folder(self, path: str, opener: Callable[[str, int], FileIO]) -> FileIO:
        try:
            return opener(path, self._file_mode)
        except FileNotFoundError:
            self.make(os.path.dirname(path))  # noqa: PTH120
            return opener(path, self._file_mode)


class explain_full_disk:  # noqa: N801 - used as `with explain_full_disk(...)`
    """Turn "No space left on device" into a sentence with the path, the need and what is free, in bytes."""

    def __init__(self, path: str, need: int = 0) -> None:
        self.path = path
        self.need = need

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, OSError) or error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return
        free = shutil.disk_usage(os.path.dirname(self.path)).free  # noqa: PTH120
        need = f"needs {self.need:,} bytes, " if self.need else ""
        raise OSError(error.errno, f"the disk is full: {need}{free:,} free", self.path) from error


def _write_all(file: FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
