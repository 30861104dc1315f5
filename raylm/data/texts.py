"""The texts of a recipe: read into blocks and filtered, whatever tokenizer comes after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from raylm.config.errors import BadInput
from raylm.data.blocks import BlockRef
from raylm.data.extract import STEP, Extracted, Parcel, Stored, extract, named, parcels, refuse_many_bad
from raylm.data.filtering import FilterChain, Filtered
from raylm.data.progress import Meter
from raylm.data.row_task import Lesson
from raylm.data.section import DataSection
from raylm.data.split import Rule, rules
from raylm.data.workers import Workers
from raylm.data.workspace import Workspace

_NAMES_SHOWN = 5

T = TypeVar("T")
R = TypeVar("R")


class Text(NamedTuple):
    """The texts of a recipe, read and filtered."""

    extracted: list[list[Extracted]]
    """By source, its parcels in order."""
    filtered: Filtered
    rules: list[Rule]
    """By block."""

    @property
    def blocks(self) -> list[BlockRef]:
        return self.filtered.blocks

    @property
    def num_bytes(self) -> int:
        return sum(block.size.bytes for block in self.blocks)


@dataclass(frozen=True)
class Preparation:
    """What every step of a preparation needs, and the steps up to the filtered texts."""

    data: DataSection
    inventory: Sequence[Sequence[Stored]]
    """By source."""
    workspace: Workspace
    workers: Workers
    meter: Meter
    lesson: Lesson | None = None
    """The task whose rows the texts are; None: plain texts."""

    def text(self) -> Text:
        """Read and filter the sources; only what is not there yet is done.

        Raises:
            BadInput: a source cannot be read, or nothing is left of it.
        """
        extracted = self._extract()
        blocks = [block for parts in extracted for part in parts for block in part.blocks]
        filtered = FilterChain(self.data, self.workspace, self.map).filter(blocks)
        if not filtered.blocks or not any(block.size.documents for block in filtered.blocks):
            message = "no document is left after the filters"
            raise BadInput.one("data.filters", message, "loosen them, or leave one out", code="empty")
        return Text(extracted, filtered, rules(filtered.blocks, self.data))

    def map(self, stage: str, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Run a step's tasks with the stage's progress."""
        if not tasks:
            return
        self.meter.begin(stage, sum(_num_bytes(task) for task in tasks))
        for number, result in self.workers.map(function, tasks):
            self.meter.add(_num_bytes(tasks[number]))
            yield number, result
        self.meter.end()

    def _extract(self) -> list[list[Extracted]]:
        """Return what each source's parcels hold; those that were read before are not read again."""
        tasks = [
            parcel
            for number, (source, inputs) in enumerate(zip(self.data.sources, self.inventory, strict=True))
            for parcel in parcels(
                self.workspace.uri, number, source, inputs, self.lesson and self.lesson.task
            )
        ]
        found = self._read_before(tasks)
        todo = [place for place in range(len(tasks)) if place not in found]
        self._announce([tasks[place] for place in todo], len(tasks))
        for number, result in self.map("reading", extract, [tasks[place] for place in todo]):
            found[todo[number]] = result
        by_source: list[list[Extracted]] = [[] for _ in self.data.sources]
        for place, task in enumerate(tasks):
            by_source[task.number].append(found[place])
        for number, parts in enumerate(by_source):
            self._check(number, parts)
        return by_source

    def _read_before(self, tasks: Sequence[Parcel]) -> dict[int, Extracted]:
        """Return what is there already, by the task's place."""
        there = self.workspace.keys(STEP, ".json")
        found = {}
        for place, task in enumerate(tasks):
            if task.key in there:
                before = Extracted.from_json(self.workspace.read_json(STEP, task.key), task.number)
                if before.reading.bad_rows and task.source.on_bad_row == "fail":
                    continue  # they were skipped then; reading says which they are
                if self.workspace.refresh(
                    STEP, [f"{task.key}.json", *(block.name for block in before.blocks)]
                ):
                    found[place] = before
        return found

    def _announce(self, todo: Sequence[Parcel], total: int) -> None:
        """Say what is read again, where a part of it was read before."""
        if todo and len(todo) < total:
            names = [stored.item.name for task in todo for stored in task.inputs]
            listed = ", ".join(names[:_NAMES_SHOWN]) + (", ..." if len(names) > _NAMES_SHOWN else "")
            self.meter.say(f"new or changed, to be read: {len(names)} files: {listed}")

    def _check(self, number: int, parts: Sequence[Extracted]) -> None:
        """Refuse a source with nothing in it, or with too many bad rows."""
        source = self.data.sources[number]
        with named(number):
            bad = sum(part.reading.bad_rows for part in parts)
            refuse_many_bad(bad, source, next((part.first_bad for part in parts if part.first_bad), ""))
            if not any(part.blocks for part in parts):
                names = ", ".join(stored.item.name for stored in self.inventory[number][:3])
                blank = sum(part.reading.blank for part in parts)
                only = f", only {blank} blank documents" if blank else ""
                raise BadInput.one("path", f"no text in {names}{only}", code="empty")


def _num_bytes(task: Any) -> int:
    return task.num_bytes if isinstance(task, Parcel) else task.block.size.bytes
