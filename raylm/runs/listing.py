"""A list of runs for screens that ask for it every two seconds: what has not changed is not read again."""

import logging
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from raylm.config.errors import BadInput
from raylm.runs.catalogue import begun, runs_in
from raylm.runs.folder import Folder
from raylm.runs.names import is_run_name
from raylm.runs.run import Run
from raylm.runs.segments import last_record
from raylm.runs.status import ENDED, LIVE
from raylm.runs.storages import known
from raylm.runs.summary import summary

_LOG = logging.getLogger(__name__)
# A folder may change twice within one tick of its filesystem's clock; what changed this lately is read again.
_SETTLED_NS = 2_000_000_000
# How many of the newest runs are looked at for those that have not ended.
_MOST_NEAR = 2000
_MOST_FAR = 50  # on an object store, where each is read anew

Row = dict[str, Any]
Stamp = tuple[int, ...]


@dataclass(frozen=True)
class _Storage:
    """What was read of one storage."""

    stamp: Stamp = ()
    """When its folder had last changed; nothing where that cannot be relied on."""
    runs: tuple[tuple[str, Run], ...] = ()
    """When each run was made, and the run; newest first."""
    others: tuple[str, ...] = ()
    """Folders that would be runs if they had a run.json."""
    rows: dict[str, tuple[Stamp, Row]] = field(default_factory=dict)
    """Rows of ended runs, with when the folders they were read from had last changed."""
    names: dict[str, str] = field(default_factory=dict)
    """The names that runs were given, for those that were searched."""


class Listing:
    """The newest runs of some storages: `summary` and `loss`, the last training loss, of each.

    On a local filesystem the runs of a storage are known for as long as its folder's modification time stays,
    and the row of an ended run for as long as those of the run's own folders do: whatever launches, ends or
    changes a run puts a file there. The row of a live run is made anew each time, and so is everything on an
    object store, whose folders have no such times.
    """

    def __init__(self) -> None:
        self._storages: dict[str, _Storage] = {}

    def page(
        self, storages: Iterable[str] | None = None, limit: int = 200, offset: int = 0, search: str = ""
    ) -> list[Row]:
        """Return at most `limit` rows from the `offset`-th on, newest first.

        Args:
            storages: Where to look; by default in every known storage. One out of reach is left out.
            limit: The most rows to return.
            offset: How many newer runs to leave out.
            search: Words, in any case, that a run's id and name must all contain.
        """
        found = self._found(storages, search.casefold().split())
        return [_row(run, storage) for run, storage in found[offset : offset + limit]]

    def live(
        self, storages: Iterable[str] | None = None, limit: int = 200, offset: int = 0, search: str = ""
    ) -> list[Row]:
        """Return what `page` does of the runs that have not ended, however many have begun since."""
        found = self._found(storages, search.casefold().split())
        rows = (_row(run, storage) for run, storage in _newest(found))
        return list(islice((row for row in rows if row["status"] in LIVE), offset, offset + limit))

    def newest(self, storages: Iterable[str] | None = None, limit: int = 200) -> list[Run]:
        """Return the newest runs, newest first; what is read of one is kept for the next time."""
        return [run for run, _ in self._found(storages, [])[:limit]]

    def _found(self, storages: Iterable[str] | None, words: list[str]) -> list[tuple[Run, _Storage]]:
        read = [self._read(uri) for uri in dict.fromkeys(known() if storages is None else storages)]
        found = [
            (when, run.run_id, run, storage)
            for storage in read
            for when, run in storage.runs
            if not words or _has(words, run, storage)
        ]
        found.sort(key=lambda one: one[:2], reverse=True)
        return [(run, storage) for _, _, run, storage in found]

    def _read(self, uri: str) -> _Storage:
        try:
            root = Folder.open(uri)
            path = root.local_path()
            if path is None:
                return _Storage(runs=_ordered(runs_in(root)))
            storage = _local(root, path, self._storages.get(root.uri, _Storage()))
        except (OSError, BadInput) as error:
            _LOG.warning("storage %s cannot be listed: %s", uri, error)
            return _Storage()
        self._storages[root.uri] = storage
        return storage


def _newest(found: list[tuple[Run, _Storage]]) -> Iterator[tuple[Run, _Storage]]:
    left = {"near": _MOST_NEAR, "far": _MOST_FAR}
    for run, storage in found:
        place = "far" if run.folder.local_path() is None else "near"
        left[place] -= 1
        if left[place] >= 0:
            yield run, storage


def _local(root: Folder, path: Path, old: _Storage) -> _Storage:
    stamp = stamp_of(path)
    # A folder that a person named is a run once it has a run.json, of which its parent's time says nothing.
    is_same = stamp == old.stamp and not any(root.exists(f"{name}/run.json") for name in old.others)
    if stamp and is_same:
        return old
    names = root.names()
    runs = runs_in(root, names)
    ids = {run.run_id for run in runs}
    return _Storage(
        stamp if is_settled(stamp) else (),
        _ordered(runs),
        tuple(name for name in names if name not in ids and is_run_name(name)),
        {run_id: row for run_id, row in old.rows.items() if run_id in ids},
        {run_id: name for run_id, name in old.names.items() if run_id in ids},
    )


def _ordered(runs: list[Run]) -> tuple[tuple[str, Run], ...]:
    return tuple(sorted(((begun(run), run) for run in runs), key=lambda one: one[0], reverse=True))


def _has(words: list[str], run: Run, storage: _Storage) -> bool:
    run_id = run.run_id.casefold()
    if all(word in run_id for word in words):
        return True
    name = storage.names.get(run.run_id)
    if name is None:
        name = storage.names[run.run_id] = _fresh(run).name.casefold()
    return all(word in run_id or word in name for word in words)


def _row(run: Run, storage: _Storage) -> Row:
    path = run.folder.local_path()
    stamp = stamp_of(path, path / "launches") if path else ()
    then, row = storage.rows.get(run.run_id, ((), {}))
    if stamp and stamp == then:
        return dict(row)
    row = {**summary(_fresh(run)), "loss": _loss(run)}
    if row["status"] in ENDED and is_settled(stamp):
        storage.rows[run.run_id] = (stamp, row)
    return dict(row)


def _loss(run: Run) -> float | None:
    try:
        loss = (last_record(run.folder) or {}).get("train/loss")
    except OSError:
        return None
    return loss if isinstance(loss, int | float) and math.isfinite(loss) else None


def _fresh(run: Run) -> Run:
    """Return the run with nothing read yet."""
    return Run(run.folder, run.storage, run.run_id)


def stamp_of(*paths: Path) -> Stamp:
    """Return when the folders last changed, 0 for one that is missing; nothing where the first one is."""
    times = tuple(_changed(path) for path in paths)
    return times if times[0] else ()


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def is_settled(stamp: Stamp) -> bool:
    """Tell whether the folders last changed so long ago that their next change gives another stamp."""
    return bool(stamp) and time.time_ns() - max(stamp) > _SETTLED_NS
