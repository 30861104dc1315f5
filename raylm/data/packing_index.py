"""A packing kept beside the dataset, so that the workers of a node share one and none computes it again.

It is a mere copy of what the documents' offsets decide: where it cannot be kept or read, it is computed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np

from raylm.data.packing import Pieces

FOLDER = "packing"
_ARRAYS = ("starts", "stops", "first_pieces")
_HEAD = "rows.json"
_FORMAT = 1  # rises when the same key gives other rows


def kept(folder: Path, key: dict[str, object], make: Callable[[], Pieces]) -> Pieces:
    """Return the packing of that key, from the dataset's folder if it lies there whole, else made and kept.

    Args:
        folder: of the dataset.
        key: all that decides the packing.
        make: computes it.
    """
    digest = hashlib.sha256(json.dumps([_FORMAT, key], sort_keys=True).encode()).hexdigest()
    place = folder / FOLDER / digest[:32]
    found = _read(place)
    if found is None:
        found = make()
        with contextlib.suppress(OSError):  # a read-only dataset, a full disk
            _write(found, key, place)
    return found


def _read(place: Path) -> Pieces | None:
    """Map the files; None where one is missing or is not what was written."""
    try:
        head = json.loads((place / _HEAD).read_bytes())
        arrays = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
        if any(_sha256(place / f"{name}.npy") != head["sha256"][name] for name in _ARRAYS):
            return None
        return Pieces(
            **{name: np.asarray(array) for name, array in arrays.items()},
            source_rows=tuple(head["source_rows"]),
            lookahead=head["lookahead"],
            is_joined=head["is_joined"],
            notes=tuple(head["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(pieces: Pieces, key: dict[str, object], place: Path) -> None:
    """Write aside and rename, so that the packing appears whole; the first of several writers stays."""
    draft = place.with_name(f".{uuid.uuid4().hex[:12]}")
    try:
        draft.mkdir(parents=True)
        for name in _ARRAYS:
            np.save(draft / f"{name}.npy", getattr(pieces, name))
        head = {
            "key": key,
            "source_rows": pieces.source_rows,
            "lookahead": pieces.lookahead,
            "is_joined": pieces.is_joined,
            "notes": pieces.notes,
            "sha256": {name: _sha256(draft / f"{name}.npy") for name in _ARRAYS},
        }
        (draft / _HEAD).write_text(json.dumps(head))
        if _read(place) is None:
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
