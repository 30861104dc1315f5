"""From a recipe's texts to a dataset on disk, once: the digest of what goes in names what comes out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from raylm.config.errors import BadInput
from raylm.data import workspace
from raylm.data.build import Build
from raylm.data.index import Index, missing_file
from raylm.data.learn import training_texts as stored_texts
from raylm.data.phases import refuse_bad_filters
from raylm.data.place import Place
from raylm.data.plan import Inventory, plan_digest, take_inventory
from raylm.data.progress import Meter, Progress
from raylm.data.row_task import Lesson
from raylm.data.section import DataSection
from raylm.data.texts import Preparation
from raylm.data.tokenizers import Tokenizer
from raylm.data.workers import Here, Processes, Workers
from raylm.data.workspace import Workspace
from raylm.runs.folder import Folder

_SMALL_BYTES = 1 << 25  # less is done here before other processes have started

Report = Callable[[Progress], None]


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


def prepare(  # noqa: PLR0913 - all that decides a dataset, and how it is made
    data: DataSection,
    tokenizer: Tokenizer,
    storage: str,
    progress: Report | None = None,
    *,
    lesson: Lesson | None = None,
    workers: Workers | None = None,
    is_renewed: bool = False,
) -> Prepared:
    """Return the dataset of these settings, made in `data.path` or `<storage>/datasets/` if it is not there.

    What a killed preparation had done, and what another one with the same texts did, is used again.

    Args:
        data: Which texts, how they are cleaned and split.
        tokenizer: How text becomes token ids.
        storage: Where datasets and the results of single steps lie: a folder or a URI.
        progress: Called with how far the preparation is.
        lesson: The task whose rows the sources hold; by default they hold texts.
        workers: Who does the work; by default `data.num_workers` processes of this machine.
        is_renewed: Whether a dataset in `data.path` that other texts or settings gave is made anew; without
            it, it is used as it is and the sources are not looked at.

    Raises:
        BadInput: a source cannot be read, or holds too little.
    """
    if data.path is not None and (not data.sources or (not is_renewed and Place.at(data.path).finished())):
        return _given(data.path, tokenizer, lesson)
    refuse_bad_filters(data)
    meter = Meter(progress)
    inventory = take_inventory(data, meter)
    plan = plan_digest(data, tokenizer, inventory, lesson)
    place = _place(data, storage, plan)
    if index := place.finished(plan):
        return Prepared(place.folder.uri, index, is_reused=True)
    place.refuse_other_files()
    work = _workspace(storage)
    with _workers(data, inventory, workers) as chosen:
        build = Build(Preparation(data, inventory, work, chosen, meter, lesson), tokenizer)
        index = place.write(lambda folder: build.write(folder, plan), plan)
    work.sweep()
    return Prepared(place.folder.uri, index, is_reused=False)


def find_prepared(
    data: DataSection, tokenizer: Tokenizer, storage: str, lesson: Lesson | None = None
) -> Prepared | None:
    """Return the dataset that a run would use, or None; the sources' files are read to know.

    Raises:
        BadInput: a source's file cannot be read, or `data.path` names no dataset and there are no sources.
    """
    if data.path is not None:
        is_missing = data.sources and not Place.at(data.path).finished()
        return None if is_missing else _given(data.path, tokenizer, lesson)
    plan = plan_digest(data, tokenizer, take_inventory(data, Meter(None)), lesson)
    place = _place(data, storage, plan)
    index = place.finished(plan)
    return None if index is None else Prepared(place.folder.uri, index, is_reused=True)


def training_texts(
    data: DataSection, storage: str, progress: Report | None = None, lesson: Lesson | None = None
) -> Iterator[str]:
    """Yield the texts that a tokenizer of this data is trained on: filtered, the training split only.

    Raises:
        BadInput: a source cannot be read, or holds too little.
    """
    refuse_bad_filters(data)
    meter = Meter(progress)
    inventory = take_inventory(data, meter)
    work = _workspace(storage)
    with _workers(data, inventory, None) as workers:
        text = Preparation(data, inventory, work, workers, meter, lesson).text()
    yield from stored_texts(text.blocks, text.rules, work)


def _place(data: DataSection, storage: str, plan: str) -> Place:
    return Place(Folder.open(storage) / "datasets", plan) if data.path is None else Place.at(data.path)


def _workspace(storage: str) -> Workspace:
    return Workspace((Folder.open(storage) / "datasets" / workspace.NAME).uri)


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


def _given(path: str, tokenizer: Tokenizer, lesson: Lesson | None) -> Prepared:
    """Return the dataset that `data.path` names."""
    folder = Folder.open(path)
    index = Index.read(folder)
    if name := missing_file(folder, index):
        raise BadInput.one("data.path", f"{folder.uri}/{name} is missing or cut off", code="damaged")
    wanted = tokenizer.settings()
    if index.tokenizer != wanted:
        message = (
            f"{folder.uri} was prepared with {_listed(index.tokenizer)}, the recipe says {_listed(wanted)}"
        )
        raise BadInput.one("tokenizer", message, "make them equal", code="tokenizer")
    if (index.target_dtype is None) != (lesson is None):
        held, wanted = ("texts", "a task") if lesson else ("the rows of a task", "none")
        message = f"{folder.uri} holds {held}, the recipe has {wanted}"
        raise BadInput.one("data.path", message, "name another folder", code="task")
    return Prepared(folder.uri, index, is_reused=True)


def _listed(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
