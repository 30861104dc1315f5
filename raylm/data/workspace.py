"""Results of a preparation's steps on disk, each named by the digest of what went into it.

A result is there whole or not at all, so a preparation that was killed goes on where it was, and another
one with the same texts and filters does nothing twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable
from typing import Any

from raylm.runs.folder import Folder

NAME = ".work"
_UNUSED_SECONDS = 7 * 24 * 3600
_KEY_LENGTH = 40  # hexadecimal digits: 160 bits


def key_of(*facts: Any) -> str:
    """Return the name of a result that these facts, plain JSON values, decide."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:_KEY_LENGTH]


class Workspace:
    """Results by step and key. Making this object reads nothing; every process sees the same results."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._folder = Folder.open(uri)

    def keys(self, step: str, suffix: str) -> set[str]:
        """Return the keys of all results of a step, from one listing."""
        return {name.removesuffix(suffix) for name in self._folder.names(step) if name.endswith(suffix)}

    def read(self, step: str, name: str) -> bytes:
        return self._folder.read(f"{step}/{name}")

    def write(self, step: str, name: str, data: bytes) -> None:
        """Put a result; of several writers of one name any may win, since all write the same."""
        self._folder.write(f"{step}/{name}", data)

    def read_json(self, step: str, key: str) -> Any:
        return json.loads(self.read(step, f"{key}.json"))

    def write_json(self, step: str, key: str, value: Any) -> None:
        self.write(step, f"{key}.json", json.dumps(value, ensure_ascii=False).encode())

    def refresh(self, step: str, names: Iterable[str]) -> bool:
        """Note that results are still of use; return False if one of them is gone."""
        if not self._folder.is_local:
            return True
        try:
            for name in names:
                os.utime(f"{self._folder.path}/{step}/{name}")
        except FileNotFoundError:
            return False
        return True

    def sweep(self) -> None:
        """Remove what no preparation has used for a week; on an object store nothing is."""
        if not self._folder.is_local:
            return
        oldest = time.time() - _UNUSED_SECONDS
        for step in self._folder.names():
            for name in self._folder.names(step, hidden=True):
                path = self._folder.local_path(f"{step}/{name}")
                assert path is not None
                with contextlib.suppress(FileNotFoundError):  # another preparation sweeps too
                    if path.stat().st_mtime < oldest:
                        path.unlink()
