"""A node's own copy of a dataset: training maps local files only."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from raylm.config.errors import BadInput, RunFailed
from raylm.data.files import BLOCK_BYTES
from raylm.data.index import NAME, Index, StoredFile, missing_file
from raylm.runs.folder import Folder


def default_cache_path() -> Path:
    """Return ~/.cache/raylm/datasets, or its place under XDG_CACHE_HOME."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "raylm" / "datasets"


def fetch(uri: str, cache_path: str | Path | None = None) -> Path:
    """Return a local folder with the dataset at `uri`: itself if it is local, else a copy made once a node.

    Raises:
        BadInput: there is no dataset.
        RunFailed: a file arrived damaged.
    """
    source = Folder.open(uri)
    if (path := source.local_path()) is not None:
        return path
    index = Index.read(source)
    cache = Path(cache_path).expanduser() if cache_path else default_cache_path()
    target = cache / index.digest
    with _one_process_at_a_time(cache, index.digest):
        if not _is_whole(target, index):
            _copy(source, index, target)
    return target


def _is_whole(path: Path, wanted: Index) -> bool:
    folder = Folder.open(path)
    try:
        index = Index.read(folder)
    except BadInput:
        return False
    return index == wanted and not missing_file(folder, index)


def _copy(source: Folder, index: Index, target: Path) -> None:
    """Copy every file, check it against its sha256, and put the whole in place in one step."""
    draft = target.with_name(f".fetching-{uuid.uuid4().hex[:12]}")
    try:
        for file in index.all_files():
            _copy_file(source, file, draft)
        (draft / NAME).write_bytes(index.to_bytes())
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _copy_file(source: Folder, file: StoredFile, draft: Path) -> None:
    path = draft / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.reader(file.name) as remote, path.open("wb") as local:
        while block := remote.read(BLOCK_BYTES):
            digest.update(block)
            local.write(block)
    if digest.hexdigest() != file.sha256:
        raise RunFailed(f"{source.uri}/{file.name} is damaged: its sha256 differs", "run raylm prepare again")


@contextmanager
def _one_process_at_a_time(cache: Path, digest: str) -> Iterator[None]:
    """Let a node's workers wait for the one that copies; the lock goes when its process does."""
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (cache / f".lock-{digest}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
