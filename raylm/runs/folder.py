"""A folder of a run directory, on any filesystem fsspec reaches; no name can lead out of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

from fsspec.core import url_to_fs

from raylm.config.errors import BadInput
from raylm.runs.local_files import Access, LocalFiles
from raylm.runs.remote_files import RemoteFiles

_LOCAL_PREFIXES = ("file://", "local://")


class Folder:
    """One folder: whole-file reads, durable atomic writes, exclusive creation.

    A name may have several parts (`launches/1.json`); missing folders are made on the way. On a local
    filesystem folders are 0700 and files 0600 (`group`: 2770 and 0660), and a write is fsynced before it
    shows.
    """

    def __init__(self, files: LocalFiles | RemoteFiles, path: str) -> None:
        self.files = files
        self.path = path

    @classmethod
    def open(cls, uri: str | Path, access: Access = "private") -> Folder:
        """Return the folder at a path or URI; it need not exist yet.

        Raises:
            BadInput: the URI's filesystem is unknown, or its package is not installed.
        """
        text = str(uri)
        for prefix in _LOCAL_PREFIXES:
            text = text.removeprefix(prefix)
        if "://" not in text:
            return cls(LocalFiles(access), os.path.realpath(os.path.expanduser(text)))  # noqa: PTH111
        try:
            filesystem, path = url_to_fs(text, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise BadInput.one(
                "storage", f"{text}: {error}", "use a path, s3://..., gs://...", code="uri"
            ) from None
        return cls(RemoteFiles(filesystem), path.rstrip("/"))

    @property
    def uri(self) -> str:
        """The absolute path of a local folder, else its URI."""
        return self.files.uri(self.path)

    @property
    def is_local(self) -> bool:
        return self.files.is_local

    def __truediv__(self, name: str) -> Folder:
        return Folder(self.files, self._inside(name))

    def __repr__(self) -> str:
        return f"Folder({self.uri!r})"

    def make(self) -> Folder:
        """Make the folder and its parents where they are missing."""
        self.files.make(self.path)
        return self

    def read(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        """Return a file's bytes, or those from `start` to `stop`."""
        return self.files.read(self._inside(name), start, stop)

    def write(self, name: str, data: bytes) -> None:
        """Put a whole file, durably: a reader or a crash sees the old bytes or the new ones, never a part."""
        self.files.write(self._inside(name), data)

    def create(self, name: str, data: bytes) -> None:
        """Put a whole file if there is none yet; of many callers one wins, the others get FileExistsError."""
        self.files.create(self._inside(name), data)

    def reader(self, name: str) -> BinaryIO:
        """Open a file for reading; it can seek."""
        return self.files.open_read(self._inside(name))

    def writer(self, name: str) -> Any:
        """Open a new file for streaming; `finish` makes it durable. See also `open_shard_writer`."""
        return self.files.open_write(self._inside(name))

    def finish(self, file: Any) -> None:
        """Make a file from `writer` durable and close it."""
        self.files.finish(file)

    def names(self, name: str = "", *, hidden: bool = False) -> list[str]:
        """Return the sorted names of the files and folders inside; none when the folder does not exist."""
        found = self.files.names(self._inside(name) if name else self.path)
        return found if hidden else [entry for entry in found if not entry.startswith(".")]

    def exists(self, name: str = "") -> bool:
        return self.files.exists(self._inside(name) if name else self.path)

    def size(self, name: str) -> int:
        """Return a file's size in bytes."""
        return self.files.size(self._inside(name))

    def stamp(self, name: str) -> str:
        """Return a text that changes whenever the file is written again."""
        return self.files.stamp(self._inside(name))

    def sync(self) -> None:
        """Make the names inside the folder durable."""
        self.files.sync(self.path)

    def rename(self, name: str, new_name: str) -> None:
        """Rename an entry in one durable step; local filesystems only, as object stores cannot."""
        assert isinstance(self.files, LocalFiles), "an object store cannot rename in one step"
        self.files.rename(self._inside(name), self._inside(new_name))

    def remove(self, name: str) -> None:
        """Remove a file; FileNotFoundError when there is none."""
        self.files.remove(self._inside(name))

    def remove_tree(self) -> None:
        """Remove the folder and all inside it, never following a symbolic link."""
        self.files.remove_tree(self.path)

    def local_path(self, name: str = "") -> Path | None:
        """Return the path on this machine, or None on an object store."""
        return Path(self._inside(name) if name else self.path) if self.is_local else None

    def _inside(self, name: str) -> str:
        for part in name.split("/"):
            if part in ("", ".", "..") or any(ord(char) < 32 or char in "\\\x7f" for char in part):  # noqa: PLR2004
                raise BadInput.one("name", f"{name!r} is not the name of a file inside a folder", code="path")
        return f"{self.path}/{name}"
