"""Curves of long runs in the person's cache: a few megabytes a run, so that millions of lines are read once.

A file is written in one step and never changed, so that processes need no lock: the last writer wins, and a
reader checks against the run itself whether what it found still holds. All of it may be deleted at any time.
"""

import contextlib
import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from raylm.api.reduced import Place, Reduced
from raylm.api.stretches import Stretches
from raylm.config.places import cache_path

WORTH_ROWS = 5_000  # rows that take longer to read again than a file takes to write
_FORMAT = 1
_MOST_FILES = 256


class Cached(NamedTuple):
    """A curve, read as far as the cursor from files of this fingerprint."""

    curve: Reduced
    cursor: str
    seen: str


def save(uri: str, cached: Cached) -> None:
    """Keep the curve of the run at `uri`; where the cache cannot be written, nothing happens."""
    curve = cached.curve
    facts = {
        "format": _FORMAT,
        "uri": uri,
        "cursor": cached.cursor,
        "seen": cached.seen,
        "place": curve.place,
        "ahead": sorted(curve.ahead.items()),
        "leg": curve.leg,
        "num_folded": curve.num_folded,
        "size": curve.size,
        "stretches": list(curve.stretches),
        "values": list(curve.values),
    }
    arrays = {"facts": np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8), "at": curve.at}
    for number, parts in enumerate(curve.stretches.values()):
        arrays |= {f"s{number}-{name}": array for name, array in parts._asdict().items()}
    arrays |= {f"v{number}": column for number, column in enumerate(curve.values.values())}
    with contextlib.suppress(OSError):
        _write(_path(uri), arrays)


def load(uri: str) -> Cached | None:
    """Return what was kept of the run at `uri`; None where there is nothing, or nothing that can be read."""
    try:
        with _path(uri).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            if facts["format"] != _FORMAT or facts["uri"] != uri:
                return None
            return Cached(_curve(facts, arrays), str(facts["cursor"]), str(facts["seen"]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _curve(facts: dict[str, Any], arrays: Any) -> Reduced:
    (run_id, attempt), *numbers = facts["place"]
    curve = Reduced(Place((run_id, attempt), *numbers), {int(leg): step for leg, step in facts["ahead"]})
    curve.leg, curve.num_folded, curve.size = facts["leg"], facts["num_folded"], facts["size"]
    curve.at = arrays["at"]
    for number, key in enumerate(facts["stretches"]):
        curve.stretches[key] = Stretches(*(arrays[f"s{number}-{name}"] for name in Stretches._fields))
    curve.values = {key: arrays[f"v{number}"] for number, key in enumerate(facts["values"])}
    return curve


def _write(path: Path, arrays: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        np.savez(file, **arrays)
    draft.replace(path)
    kept = sorted(path.parent.glob("*.npz"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in kept[_MOST_FILES:]:
        old.unlink(missing_ok=True)


def folder() -> Path:
    """Return where the curves are kept."""
    return cache_path() / "curves"


def _path(uri: str) -> Path:
    return folder() / f"{hashlib.sha256(uri.encode()).hexdigest()[:32]}.npz"
