"""Every change raylm makes to a local disk, one method each, so that a test can record, stop or undo it."""

import os
import shutil
from io import FileIO


class Disk:
    """The real disk. Nothing here is durable by itself: `sync_file` and `sync_folder` make it so."""

    def make_folder(self, path: str, mode: int) -> None:
        """Make one folder with exactly these mode bits, whatever the umask."""
        os.mkdir(path, mode)  # noqa: PTH102 - paths here are plain strings, as fsspec's are
        if mode & 0o070:
            os.chmod(path, mode)  # noqa: PTH101

    def open_new(self, path: str, mode: int) -> FileIO:
        """Open a file for writing from its start; a symbolic link in its place is refused."""
        return self._open(path, os.O_TRUNC, mode)

    def open_append(self, path: str, mode: int) -> FileIO:
        """Open a file so that each write lands whole at its end, also beside other writers."""
        return self._open(path, os.O_APPEND, mode)

    def sync_file(self, file: FileIO) -> None:
        """Return when the file's bytes are on the disk."""
        os.fsync(file.fileno())

    def sync_folder(self, path: str) -> None:
        """Return when the folder's entries (new, renamed, removed names) are on the disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, path: str, target: str) -> None:
        os.replace(path, target)  # noqa: PTH105

    def link(self, path: str, target: str) -> None:
        """Give a file a second name; FileExistsError when the name is taken."""
        os.link(path, target)

    def remove(self, path: str) -> None:
        os.unlink(path)  # noqa: PTH108

    def remove_tree(self, path: str) -> None:
        shutil.rmtree(path, ignore_errors=True)

    def _open(self, path: str, flag: int, mode: int) -> FileIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | flag
        file = FileIO(path, "wb", opener=lambda name, _flags: os.open(name, flags, mode))
        if mode & 0o060:
            os.fchmod(file.fileno(), mode)
        return file
