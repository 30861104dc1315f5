"""Finding the files that names, patterns and addresses stand for, without opening any of them."""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from raylm.config.errors import BadInput
from raylm.config.near import nearest
from raylm.data.documents import Input

BLOCK_BYTES = 1 << 20
PACKED = (".gz", ".zst")
_SOURCE_KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


def suffix_of(name: str) -> str:
    """Return what a file's name says it is, such as ".jsonl" for rows.jsonl.gz."""
    path = PurePosixPath(name)
    return PurePosixPath(path.stem).suffix if path.suffix in PACKED else path.suffix


def source_kind(name: str) -> str:
    """Return the kind of source that reads a file, by its name."""
    return _SOURCE_KINDS.get(suffix_of(name), "text")


def find_files(patterns: Sequence[str]) -> tuple[Input, ...]:
    """Return the regular files that names, patterns and addresses stand for.

    Each comes once, in the order of the patterns; the files of a pattern in alphabetical order. An address
    such as s3://bucket/corpus/*.txt goes through fsspec.

    Raises:
        BadInput: a name is missing or is no regular file, or a pattern matches nothing.
    """
    found = chain.from_iterable(
        _remote_files(pattern) if is_remote(pattern) else _local_files(pattern) for pattern in patterns
    )
    return tuple({item.name: item for item in found}.values())


def is_remote(name: str) -> bool:
    """Whether a name is an address, such as s3://bucket/x.txt, as opposed to a path on this machine."""
    return "://" in name


def open_file(name: str) -> BinaryIO:
    """Open a file that `find_files` found.

    Raises:
        BadInput: it cannot be opened.
    """
    with readable(name):
        if is_remote(name):
            filesystem, path = filesystem_of(name)
            return cast("BinaryIO", filesystem.open(path, "rb"))
        return Path(name).open("rb")


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Say of an error in the block which file it is about.

    Raises:
        BadInput: the file cannot be opened or read.
    """
    try:
        yield
    except BadInput:
        raise
    except Exception as error:
        if is_remote(name) or isinstance(error, OSError):  # each store's client has exceptions of its own
            raise unreadable(name, error) from None
        raise


def file_digest(name: str, progress: Callable[[int], None]) -> str:
    """Return the sha256 of a file's bytes as they are stored.

    Raises:
        BadInput: the file cannot be read.
    """
    digest = hashlib.sha256()
    with readable(name), open_file(name) as file:
        for block in blocks_of(file):
            digest.update(block)
            progress(len(block))
    return digest.hexdigest()


def file_stamp(name: str) -> str:
    """Return a text that changes when a file is written again.

    Raises:
        BadInput: the file is not there.
    """
    with readable(name):
        if is_remote(name):
            filesystem, path = filesystem_of(name)
            return str(filesystem.ukey(path))
        found = os.stat(name)  # noqa: PTH116
        return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


def blocks_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of an open file block by block."""
    while block := file.read(BLOCK_BYTES):
        yield block


def unreadable(name: str, error: Exception) -> BadInput:
    """Return the error for a file that is there and cannot be read."""
    why = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
    return BadInput.one("path", f"{name} cannot be read: {why}", code="unreadable")


def filesystem_of(address: str) -> tuple[Any, str]:
    """Return the fsspec filesystem of an address, and the path on it.

    Raises:
        BadInput: there is no such filesystem, or its package is not installed.
    """
    from fsspec.core import url_to_fs

    try:
        return url_to_fs(address, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        mend = "use a path, s3://..., gs://..."
        raise BadInput.one("path", f"{address}: {error}", mend, code="address") from None


def stem(name: str) -> str:
    """Return what a file, a folder or a pattern is called: "books" for books.txt.gz and for books/*.txt."""
    parts = PurePosixPath(name.rpartition("://")[2]).parts
    fixed = [part for part in parts if part != "/" and not glob.has_magic(part)]
    if not fixed or fixed[-1] != parts[-1]:
        return fixed[-1] if fixed else ""
    last = fixed[-1]
    for ending in PACKED:
        last = last.removesuffix(ending)
    return PurePosixPath(last).stem


def _local_files(pattern: str) -> Iterable[Input]:
    path = os.path.expanduser(pattern)  # noqa: PTH111 - Path() would be made a million times for a pattern
    if os.path.lexists(path) or not glob.has_magic(pattern):
        return [_checked(str(Path(path)))]
    matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (absolute patterns)
    files = [_checked(match) for match in matches if not os.path.isdir(match)]  # noqa: PTH112
    if not files:
        raise _no_match(pattern)
    return files


def _no_match(pattern: str) -> BadInput:
    return BadInput.one("path", f"the pattern {pattern} matches no file", code="no-match")


def _checked(path: str) -> Input:
    """Return the path if it can be read like a file; opening a FIFO or a device would hang or never end."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        raise missing(path, _names_beside(Path(path))) from None
    except OSError as error:  # a loop of links, a name that is too long, no permission
        raise unreadable(path, error) from None
    if stat.S_ISDIR(found.st_mode):
        raise _is_folder(path)
    if not stat.S_ISREG(found.st_mode):
        raise BadInput.one("path", f"{path} is not a regular file", code="not-a-file")
    if not os.access(path, os.R_OK):
        raise unreadable(path, PermissionError(13, "Permission denied"))
    return Input(path, found.st_size)


def _is_folder(name: str) -> BadInput:
    mend = f"name its files, such as {name.rstrip('/')}/*.txt"
    return BadInput.one("path", f"{name} is a folder", mend, code="folder")


def missing(name: str, beside: Iterable[str] | None) -> BadInput:
    """Return the error for a name that is not there.

    Args:
        name: the path or address.
        beside: the names in its folder; None when the folder is not there either.
    """
    if beside is None:
        mend = f"there is no folder {name.rpartition('/')[0]}"
    else:
        near = nearest(PurePosixPath(name).name, beside, count=3)
        mend = f"near it: {', '.join(near)}" if near else ""
    return BadInput.one("path", f"{name} does not exist", mend, code="missing")


def _names_beside(path: Path) -> list[str] | None:
    return os.listdir(path.parent) if path.parent.is_dir() else None  # noqa: PTH208


def _remote_files(pattern: str) -> list[Input]:
    filesystem, path = filesystem_of(pattern)
    with readable(pattern):
        return _listed(filesystem, path, pattern)


def _listed(filesystem: Any, path: str, pattern: str) -> list[Input]:
    if filesystem.exists(path):
        details = {path: filesystem.info(path)}
    elif not glob.has_magic(path):
        raise missing(pattern, _remote_names(filesystem, path))
    else:
        details = filesystem.glob(path, detail=True)
    if path in details and details[path]["type"] == "directory":
        raise _is_folder(pattern)
    files = [
        Input(filesystem.unstrip_protocol(name), info.get("size") or 0)
        for name, info in sorted(details.items())
        if info["type"] == "file"
    ]
    if not files:
        raise _no_match(pattern)
    return files


def _remote_names(filesystem: Any, path: str) -> list[str] | None:
    try:
        names = filesystem.ls(path.rpartition("/")[0], detail=False)
    except FileNotFoundError:
        return None
    return [PurePosixPath(name).name for name in names]


def files_below(folder: str) -> Iterator[Input]:
    """Yield the regular files below a folder in alphabetical order, hidden ones and hidden folders left out.

    Links to files are followed, links to folders are not, as they may go round.

    Raises:
        BadInput: it is missing, is no folder, or cannot be listed.
    """
    with readable(folder):
        yield from _remote_below(folder) if is_remote(folder) else _local_below(folder)


def _local_below(folder: str) -> Iterator[Input]:
    path = os.path.expanduser(folder)  # noqa: PTH111
    if not os.path.lexists(path):
        raise missing(path, _names_beside(Path(path)))
    if os.path.isfile(path):  # noqa: PTH113
        raise _is_no_folder(path)
    yield from _walk(path)


def _walk(folder: str) -> Iterator[Input]:
    with os.scandir(folder) as entries:
        seen = sorted((entry for entry in entries if entry.name[0] != "."), key=lambda entry: entry.name)
    for entry in seen:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif entry.is_file():
            yield Input(entry.path, entry.stat().st_size)


def _remote_below(folder: str) -> Iterator[Input]:
    filesystem, path = filesystem_of(folder)
    if filesystem.isfile(path):
        raise _is_no_folder(folder)
    for name, info in sorted(filesystem.find(path, detail=True).items()):
        inside = name.removeprefix(path).split("/")
        if info["type"] == "file" and not any(part.startswith(".") for part in inside):
            yield Input(filesystem.unstrip_protocol(name), info.get("size") or 0)


def _is_no_folder(name: str) -> BadInput:
    return BadInput.one("path", f"{name} is no folder", "name the one it lies in", code="no-folder")
