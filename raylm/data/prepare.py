"""From a recipe's texts to a dataset on disk, once: the digest of what goes in names what comes out."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from raylm.config.errors import BadInput
from raylm.data.build import Build
from raylm.data.corpus import Corpus, Inventory
from raylm.data.index import FORMAT, Index, missing_file
from raylm.data.progress import Meter, Progress
from raylm.data.section import DataSection
from raylm.data.tokenizers import Tokenizer
from raylm.runs.folder import Folder
from raylm.runs.owner import is_dead, this_process

_DRAFT = ".preparing-"
_OWNER = "owner.json"


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
    progress: Callable[[Progress], None] | None = None,
) -> Prepared:
    """Return the dataset of these settings, made under `<storage>/datasets/<digest>` if it is not there yet.

    A preparation that was killed leaves nothing that counts, and the next one starts again.

    Raises:
        BadInput: a source cannot be read, or holds too little.
    """
    if data.path is not None:
        return _given(data.path, tokenizer)
    meter = Meter(progress)
    corpus = Corpus(data.sources)
    inventory = corpus.inventory(meter)
    digest = _digest(data, tokenizer, inventory)
    datasets = Folder.open(storage) / "datasets"
    target = datasets / digest
    if index := _finished(target):
        return Prepared(target.uri, index, is_reused=True)
    build = Build(data, tokenizer, corpus, inventory, meter)
    if not datasets.is_local:
        # The same digest gives the same bytes, so that several writers do each other no harm.
        return Prepared(target.uri, build.write(target, digest), is_reused=False)
    _sweep(datasets)
    return _write_aside(build, datasets, digest)


def find_prepared(data: DataSection, tokenizer: Tokenizer, storage: str) -> Prepared | None:
    """Return the dataset that `prepare` would reuse, or None; the sources' files are read to know.

    Raises:
        BadInput: a source's file cannot be read, or `data.path` names no dataset.
    """
    if data.path is not None:
        return _given(data.path, tokenizer)
    inventory = Corpus(data.sources).inventory(Meter(None))
    target = Folder.open(storage) / "datasets" / _digest(data, tokenizer, inventory)
    index = _finished(target)
    return None if index is None else Prepared(target.uri, index, is_reused=True)


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


def _digest(data: DataSection, tokenizer: Tokenizer, inventory: Inventory) -> str:
    """Return a digest of all that decides the dataset: the files' content, never their names."""
    facts = {
        "format": FORMAT,
        "sources": [
            {**source.settings(), "files": [file["sha256"] for file in files]}
            for source, files in zip(data.sources, inventory, strict=True)
        ],
        "split": data.model_dump(mode="json", include={"validation_share", "split_by", "split_seed"}),
        "tokenizer": tokenizer.model_dump(mode="json"),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _finished(folder: Folder) -> Index | None:
    """Return the index of a dataset that is whole; None where there is none or it is not."""
    try:
        index = Index.read(folder)
    except BadInput:
        return None
    return None if missing_file(folder, index) else index


def _write_aside(build: Build, datasets: Folder, digest: str) -> Prepared:
    """Write into a hidden folder and rename it, so that the dataset appears whole."""
    draft = f"{_DRAFT}{uuid.uuid4().hex[:12]}"
    (datasets / draft).write(_OWNER, json.dumps(this_process()).encode())
    target = datasets / digest
    try:
        index = build.write(datasets / draft, digest)
        (datasets / draft).remove(_OWNER)
        if not _finished(target):
            target.remove_tree()
            datasets.rename(draft, digest)
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
