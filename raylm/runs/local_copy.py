"""Small folders of a run as folders of this machine, for libraries that read nothing else."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from raylm.runs.folder import Folder


@lru_cache(maxsize=64)
def local_copy(uri: str) -> str:
    """Return the path of a folder on this machine: its own, or that of a copy, kept until this process ends.

    What lies there must not change: a run's model and tokenizer do not.
    """
    folder = Folder.open(uri)
    local = folder.local_path()
    if local is not None:
        return str(local)
    copy = Path(tempfile.mkdtemp(prefix="raylm-copy-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for name in folder.names():
        (copy / name).write_bytes(folder.read(name))
    return str(copy)
