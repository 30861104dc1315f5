"""From a recipe's texts to a dataset on disk, once: the digest of what goes in names what comes out."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from raylm.config.errors import BadInput
from raylm.data import workspace
from raylm.data.build import Build
from raylm.data.extract import Stored, named
from raylm.data.index import FORMAT, Index, missing_file
from raylm.data.phases import refuse_bad_filters
from raylm.data.progress import Meter, Progress
from raylm.data.section import DataSection
from raylm.data.texts import Preparation
from raylm.data.tokenizers import Tokenizer
from raylm.data.workers import Here, Processes, Workers
from raylm.data.workspace import Workspace
from raylm.runs.folder import Folder
from raylm.runs.owner import is_dead, this_process

_DRAFT = ".preparing-"
_OWNER = "owner.json"
_ABOUT = {"licence", "origin", "retrieved"}  # in the ledger, so that a mended licence is not ignored
_SPLIT = {"validation_share", "split_by", "split_seed", "on_overlap"}
_SMALL_BYTES = 1 << 25  # less is done here before other processes have started

Report = Callable[[Progress], None]
Inventory = Sequence[Sequence[Stored]]


@dataclass(frozen=True)
class Prepared:
    """A dataset that is whole and where it lies."""

    uri: str
    index: Index
    is_reused: bool
    """Whether it was there already."""

    @property
    def digest(self) -> str:
        return self.index.digest


def prepare(
    data: DataSection,
    tokenizer: Tokenizer,
    storage: str,
    progress: Report | None = None,
    workers: Workers | None = None,
) -> Prepared:
    """Return the dataset of these settings, made under `<storage>/datasets/` if it is not there yet.

    What a killed preparation had done, and what another one with the same texts did, is used again.

    Args:
        data: Which texts, how they are cleaned and split.
        tokenizer: How text becomes token ids.
        storage: Where datasets lie: a folder or a URI.
        progress: Called with how far the preparation is.
        workers: Who does the work; by default `data.num_workers` processes of this machine.

    Raises:
        BadInput: a source cannot be read, or holds too little.
    """
    if data.path is not None:
        return _given(data.path, tokenizer)
    refuse_bad_filters(data)
    meter = Meter(progress)
    inventory = _inventory(data, meter)
    plan = _plan(data, tokenizer, inventory)
    datasets = Folder.open(storage) / "datasets"
    if index := _finished(datasets / plan):
        return Prepared((datasets / plan).uri, index, is_reused=True)
    work = Workspace((datasets / workspace.NAME).uri)
    with _workers(data, inventory, workers) as chosen:
        build = Build(Preparation(data, inventory, work, chosen, meter), tokenizer)
        prepared = _write(build, datasets, plan)
    work.sweep()
    return prepared


def find_prepared(data: DataSection, tokenizer: Tokenizer, storage: str) -> Prepared | None:
    """Return the dataset that `prepare` would reuse, or None; the sources' files are read to know.

    Raises:
        BadInput: a source's file cannot be read, or `data.path` names no dataset.
    """
    if data.path is not None:
        return _given(data.path, tokenizer)
    plan = _plan(data, tokenizer, _inventory(data, Meter(None)))
    target = Folder.open(storage) / "datasets" / plan
    index = _finished(target)
    return None if index is None else Prepared(target.uri, index, is_reused=True)


def training_texts(data: DataSection, storage: str, progress: Report | None = None) -> Iterator[str]:
    """Yield the texts that a tokenizer of this data is trained on: filtered, the training split only.

    Raises:
        BadInput: a source cannot be read, or holds too little.
    """
    from raylm.data.learn import training_texts as stored_texts

    refuse_bad_filters(data)
    meter = Meter(progress)
    inventory = _inventory(data, meter)
    work = Workspace((Folder.open(storage) / "datasets" / workspace.NAME).uri)
    with _workers(data, inventory, None) as workers:
        text = Preparation(data, inventory, work, workers, meter).text()
    yield from stored_texts(text.blocks, text.rules, work)


def _inventory(data: DataSection, meter: Meter) -> Inventory:
    """Return every input of every source with the digest of its content."""
    listed = []
    for number, source in enumerate(data.sources):
        with named(number):
            listed.append(source.inputs())
    meter.begin("checking files", sum(item.num_bytes for inputs in listed for item in inputs))
    found = []
    for number, (source, inputs) in enumerate(zip(data.sources, listed, strict=True)):
        with named(number):
            found.append([Stored(item, source.digest(item, meter.add)) for item in inputs])
    meter.end()
    return found


@contextlib.contextmanager
def _workers(data: DataSection, inventory: Inventory, given: Workers | None) -> Iterator[Workers]:
    num_bytes = sum(stored.item.num_bytes for inputs in inventory for stored in inputs)
    chosen = (os.cpu_count() or 1) if num_bytes > _SMALL_BYTES else 1
    num_workers = data.num_workers or chosen
    if given is not None:
        yield given
    elif num_workers == 1:
        yield Here()
    else:
        with Processes(num_workers) as processes:
            yield processes


def _given(path: str, tokenizer: Tokenizer) -> Prepared:
    """Return the dataset that `data.path` names."""
    folder = Folder.open(path)
    index = Index.read(folder)
    if name := missing_file(folder, index):
        raise BadInput.one("data.path", f"{folder.uri}/{name} is missing or cut off", code="damaged")
    wanted = tokenizer.model_dump(mode="json")
    if index.tokenizer != wanted:
        message = (
            f"{folder.uri} was prepared with {_listed(index.tokenizer)}, the recipe says {_listed(wanted)}"
        )
        raise BadInput.one("tokenizer", message, "make them equal", code="tokenizer")
    return Prepared(folder.uri, index, is_reused=True)


def _listed(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _plan(data: DataSection, tokenizer: Tokenizer, inventory: Inventory) -> str:
    """Return a digest of all that decides the dataset: the inputs' content, never their names."""
    facts = {
        "format": FORMAT,
        "sources": [
            {**source.settings(), "split": source.split, "inputs": [stored.sha256 for stored in inputs]}
            for source, inputs in zip(data.sources, inventory, strict=True)
        ],
        "names": data.source_names(),
        "about": [source.model_dump(mode="json", include=_ABOUT) for source in data.sources],
        "filters": [each.settings() for each in data.filters],
        "split": data.model_dump(mode="json", include=_SPLIT),
        "tokenizer": tokenizer.settings(),
    }
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _finished(folder: Folder) -> Index | None:
    """Return the index of a dataset that is whole; None where there is none or it is not."""
    try:
        index = Index.read(folder)
    except BadInput:
        return None
    return None if missing_file(folder, index) else index


def _write(build: Build, datasets: Folder, plan: str) -> Prepared:
    target = datasets / plan
    if not datasets.is_local:
        # The same plan gives the same bytes, so that several writers do each other no harm.
        return Prepared(target.uri, build.write(target, plan), is_reused=False)
    _sweep(datasets)
    return _write_aside(build, datasets, plan)


def _write_aside(build: Build, datasets: Folder, plan: str) -> Prepared:
    """Write into a hidden folder and rename it, so that the dataset appears whole."""
    draft = f"{_DRAFT}{uuid.uuid4().hex[:12]}"
    (datasets / draft).write(_OWNER, json.dumps(this_process()).encode())
    target = datasets / plan
    try:
        index = build.write(datasets / draft, plan)
        (datasets / draft).remove(_OWNER)
        if not _finished(target):
            target.remove_tree()
            datasets.rename(draft, plan)
    except OSError:
        if not _finished(target):  # or else another process has just put the same dataset there
            raise
        index = Index.read(target)
    finally:
        (datasets / draft).remove_tree()
    return Prepared(target.uri, index, is_reused=False)


def _sweep(datasets: Folder) -> None:
    """Remove what preparations left that were killed on this machine."""
    for name in datasets.names(hidden=True):
        if not name.startswith(_DRAFT):
            continue
        try:
            owner = json.loads((datasets / name).read(_OWNER))
        except (OSError, ValueError):
            continue  # it is just being made, or just being put in place
        if is_dead(owner):
            (datasets / name).remove_tree()
