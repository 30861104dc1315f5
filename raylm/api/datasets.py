"""Which prepared datasets there are: those of the storages, and the one that a run learns from."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from raylm.config.errors import BadInput
from raylm.data.index import NAME, Index
from raylm.runs.catalogue import list_runs
from raylm.runs.folder import Folder
from raylm.runs.run import Run
from raylm.runs.storages import known

Json = dict[str, Any]

FOLDER = "datasets"  # of a storage
LONGEST_NAME = 200  # characters of a source's name and the like that are sent
_ID = re.compile(r"[0-9a-f]{8,64}")
_NAMED = 6  # sources named in a row of the list
_LOOKED_AT = 200  # runs, the newest ones, among which those of a dataset are looked for
# A folder may change twice within one tick of its filesystem's clock; what changed this lately is read again.
_SETTLED_NS = 2_000_000_000
_THREADS = 16  # an object store takes long to answer, but many at once


class Chosen(NamedTuple):
    """The data that is looked at: a dataset, a run's, or what is left of a run's."""

    dataset_id: str | None
    """Its name in the list; None: it lies elsewhere."""
    folder: Folder | None
    """None: it is not there any more, or not reached from here."""
    run: Run | None = None

    @property
    def tokenizer(self) -> Folder:
        """The folder of its tokenizer: a run keeps a copy."""
        home = self.folder or (self.run and self.run.folder)
        assert home is not None, "neither a dataset nor a run"
        return home / "tokenizer"


class _Entry(NamedTuple):
    """A dataset that is listed."""

    prepared: float
    """Seconds since 1970; 0 where it is not known."""
    name: str
    home: Folder
    """The folder around it."""


class Datasets:
    """The datasets in the storages; what has not changed is not read again.

    A dataset appears, is replaced and goes by a change of the folder around it: on a local filesystem the
    list holds for as long as that folder's modification time stays.
    """

    def __init__(self) -> None:
        self._listed: dict[str, tuple[int, list[_Entry]]] = {}
        self._rows: dict[tuple[str, str, float], Json] = {}

    def page(self, storages: Iterable[str] | None, limit: int, offset: int) -> Json:
        """Return {"rows", "count"}: at most `limit` datasets from the `offset`-th on, newest first, and all.

        Of a row "prepared" is seconds since 1970, None on an object store; a damaged one has a "problem".
        """
        found = [entry for uri in _storages(storages) for entry in self._in(uri)]
        found.sort(key=lambda entry: (-entry.prepared, entry.name))
        shown = found[offset : offset + limit]
        with ThreadPoolExecutor(1 if all(entry.home.is_local for entry in shown) else _THREADS) as pool:
            rows = list(pool.map(self._row, shown))
        keys = set(map(_key, shown))
        self._rows = {key: row for key, row in self._rows.items() if key in keys}
        return {"rows": [row for row in rows if row is not None], "count": len(found)}

    def _in(self, storage: str) -> list[_Entry]:
        try:
            home = Folder.open(storage) / FOLDER
            changed = _changed(home)
            stamp, entries = self._listed.get(home.uri, (0, []))
            if not changed or changed != stamp:
                entries = _entries(home)
                is_settled = time.time_ns() - changed > _SETTLED_NS
                self._listed[home.uri] = (changed if is_settled else 0, entries)
        except (OSError, BadInput):
            return []  # out of reach; the list of runs says so in the log
        return entries

    def _row(self, entry: _Entry) -> Json | None:
        row = self._rows.get(_key(entry))
        if row is None:
            try:
                row = _row_of(Index.read(entry.home / entry.name))
            except BadInput as error:
                if error.problems[0].code == "no-dataset":
                    return None
                row = {"sources": [], "num_sources": 0, "problem": error.problems[0].message}
            row = {"dataset_id": entry.name, "prepared": entry.prepared or None, **row}
            self._rows[_key(entry)] = row
        return row


def _key(entry: _Entry) -> tuple[str, str, float]:
    return entry.home.uri, entry.name, entry.prepared


def _changed(home: Folder) -> int:
    """Return when a folder last changed, 0 where that cannot be relied on."""
    path = home.local_path()
    return path.stat().st_mtime_ns if path is not None else 0


def _entries(home: Folder) -> list[_Entry]:
    """Return the datasets of a folder; a local one without an index is not whole, and none yet."""
    names = [name for name in home.names() if _ID.fullmatch(name)]
    path = home.local_path()
    if path is None:
        return [_Entry(0.0, name, home) for name in names]
    times = ((name, _modified(f"{path}/{name}/{NAME}")) for name in names)
    return [_Entry(when, name, home) for name, when in times if when is not None]


def _row_of(index: Index) -> Json:
    return {
        "sources": [source.name[:LONGEST_NAME] for source in index.sources[:_NAMED]],
        "num_sources": len(index.sources),
        "documents": index.num_documents,
        "tokens": sum(split.num_tokens for split in index.splits.values()),
        "vocab_size": index.vocab_size,
        "tokenizer": str(index.tokenizer.get("kind", "")),
        "problem": "",
    }


def prepared_at(folder: Folder) -> float | None:
    """Return when a dataset was put in place; None where that is not known."""
    path = folder.local_path(NAME)
    return None if path is None else _modified(path)


def _modified(path: str | Path) -> float | None:
    try:
        return os.stat(path).st_mtime  # noqa: PTH116 - ten thousand paths cost more than what is asked of them
    except OSError:
        return None


def choose(dataset_id: str, storages: Sequence[str] | None) -> Chosen:
    """Return the dataset of a name in the list.

    Raises:
        BadInput: there is none.
    """
    if isinstance(dataset_id, str) and _ID.fullmatch(dataset_id):
        for uri in _storages(storages):
            folder = Folder.open(uri) / FOLDER / dataset_id
            if folder.exists(NAME):
                return Chosen(dataset_id, folder)
    message = f"there is no prepared dataset {str(dataset_id)[:64]!r}"
    raise BadInput.one("dataset_id", message, "prepare it again: raylm prepare RECIPE", code="no-dataset")


def choose_of(run: Run, storages: Sequence[str] | None) -> Chosen:
    """Return what a run learns from; without a folder where its files are not reached from here.

    Raises:
        BadInput: its data is not prepared yet.
    """
    places = [event.get("dataset") for event in run.events() if event.get("event") == "prepared"]
    if not places:
        message = f"{run.run_id} has no prepared data yet"
        raise BadInput.one("run_id", message, "it is shown once the run has prepared it", code="not-prepared")
    folder = Folder.open(str(places[-1]))
    home, _, name = folder.uri.rpartition("/")
    homes = {(Folder.open(uri) / FOLDER).uri for uri in _storages(storages)}
    is_listed = _ID.fullmatch(name) is not None and home in homes
    try:
        is_there = folder.exists(NAME)
    except OSError:
        is_there = False
    return Chosen(name if is_listed and is_there else None, folder if is_there else None, run)


def runs_with(digest: str, storages: Sequence[str] | None) -> list[str]:
    """Return the ids of those of the newest runs that learn from a dataset, newest first."""
    return [run.run_id for run in list_runs(storages)[:_LOOKED_AT] if _digest_of(run) == digest]


def _digest_of(run: Run) -> str | None:
    try:
        return (run.header().get("ledger") or {}).get("digest")
    except BadInput:
        return None


def _storages(given: Iterable[str] | None) -> list[str]:
    return list(dict.fromkeys(known() if given is None else given))
