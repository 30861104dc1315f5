"""From files to blocks of documents: read once, whatever filters and tokenizers come after."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, NamedTuple, Self

from raylm.config.errors import BadInput, Problem
from raylm.data.blocks import BLOCK_BYTES, Block, BlockRef
from raylm.data.documents import is_blank
from raylm.data.index import FORMAT
from raylm.data.row_task import RowTask, reading_settings
from raylm.data.sources import BadRow, Document, Input, Source
from raylm.data.tally import Reading, Size
from raylm.data.workspace import Workspace, key_of

STEP = "read"
_PARCEL_BYTES = 1 << 25  # files are read together up to this size
_CUT_MARK = "00"  # and up to a digest that ends so: a new file moves few of the parcels after it
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Stored(NamedTuple):
    """An input and the sha256 of its content."""

    item: Input
    stamp: str
    """Of the input before its content was looked at."""
    sha256: str


class Parcel(NamedTuple):
    """Inputs of one source that are read together."""

    workspace: str
    number: int
    """The source's, in the recipe."""
    source: Source
    inputs: tuple[Stored, ...]
    key: str
    task: RowTask | None = None
    """What makes a record of each row; None: rows are texts."""

    @property
    def num_bytes(self) -> int:
        return sum(stored.item.num_bytes for stored in self.inputs)


@dataclass
class Extracted:
    """What a parcel gave."""

    blocks: list[BlockRef] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)
    size: Size = field(default_factory=Size)
    longest: tuple[int, str] = (0, "")
    """Bytes of the longest document, and where it stands."""
    first_bad: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "blocks": [block.to_json() for block in self.blocks],
            "reading": self.reading.to_json(),
            "size": self.size.to_json(),
            "longest": self.longest,
            "first_bad": self.first_bad,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any], source: int) -> Self:
        return cls(
            [BlockRef.from_json(block, source) for block in values["blocks"]],
            Reading.from_json(values["reading"]),
            Size.from_json(values["size"]),
            (values["longest"][0], values["longest"][1]),
            values["first_bad"],
        )


def parcels(
    workspace: str, number: int, source: Source, inputs: Sequence[Stored], task: RowTask | None = None
) -> Iterator[Parcel]:
    """Group a source's inputs, in order; the grouping depends on their content alone."""
    group: list[Stored] = []
    for stored in inputs:
        group.append(stored)
        size = sum(each.item.num_bytes for each in group)
        if size >= _PARCEL_BYTES or stored.sha256.endswith(_CUT_MARK):
            yield _parcel(workspace, number, source, group, task)
            group = []
    if group:
        yield _parcel(workspace, number, source, group, task)


def _parcel(
    workspace: str, number: int, source: Source, group: Sequence[Stored], task: RowTask | None
) -> Parcel:
    of_task = None if task is None else reading_settings(task)
    key = key_of("read", FORMAT, source.settings(), of_task, [stored.sha256 for stored in group])
    return Parcel(workspace, number, source, tuple(group), key, task)


def extract(parcel: Parcel) -> Extracted:
    """Read a parcel's inputs into blocks; the record of them is written last.

    Raises:
        BadInput: an input cannot be read, or holds a bad row and the source's policy is to fail.
    """
    workspace = Workspace(parcel.workspace)
    found = Extracted()
    with named(parcel.number):
        for block in _blocks(_documents(parcel, found)):
            ref = BlockRef(STEP, key_of(parcel.key, len(found.blocks)), parcel.number, _size(block))
            workspace.write(STEP, ref.name, block.to_bytes())
            found.blocks.append(ref)
            found.size.add(ref.size)
        _refuse_changed(parcel)
    workspace.write_json(STEP, parcel.key, found.to_json())
    return found


def _refuse_changed(parcel: Parcel) -> None:
    """Check that what was read is what the parcel's key says."""
    for item, stamp, _ in parcel.inputs:
        if parcel.source.stamp(item) != stamp:
            mend = "prepare again when nothing writes to it"
            raise BadInput.one("path", f"{item.name} changed while it was read", mend, code="changed")


def _documents(parcel: Parcel, found: Extracted) -> Iterator[Document]:
    """Yield the documents that are not blank, counting what is left out or replaced."""
    reading = found.reading
    for row in chain.from_iterable(_rows(parcel, stored.item) for stored in parcel.inputs):
        if isinstance(row, BadRow):
            _count_bad(row, parcel.source, found)
            continue
        text = _LONE_SURROGATE.sub("\ufffd", row.text)  # it has no UTF-8
        if is_blank(text):
            reading.blank += 1
            continue
        reading.nul += text.count("\0")
        reading.replaced += text.count("\ufffd")
        found.longest = max(found.longest, (len(text.encode()), row.origin))
        yield row._replace(text=text, record=_LONE_SURROGATE.sub("\ufffd", row.record))


def _rows(parcel: Parcel, item: Input) -> Iterator[Document | BadRow]:
    return parcel.source.read(item) if parcel.task is None else parcel.source.records(item, parcel.task)


def _count_bad(row: BadRow, source: Source, found: Extracted) -> None:
    if source.on_bad_row == "fail":
        mend = row.mend or "mend the row, or set the source's on_bad_row: skip"
        raise BadInput.one(row.field, row.message, mend, location=row.origin, code=row.code)
    found.reading.bad_rows += 1
    found.first_bad = found.first_bad or f"{row.origin}: {row.message}"
    refuse_many_bad(found.reading.bad_rows, source, found.first_bad)


def refuse_many_bad(num_bad: int, source: Source, first: str) -> None:
    """Check a source's skipped rows against its limit.

    Raises:
        BadInput: there are more.
    """
    if num_bad > source.max_bad_rows:
        message = f"more than {source.max_bad_rows} rows hold no document; the first is {first}"
        raise BadInput.one("max_bad_rows", message, "mend the rows, or raise the limit", code="bad-rows")


def _blocks(documents: Iterator[Document]) -> Iterator[Block]:
    group: list[Document] = []
    size = 0
    for document in documents:
        group.append(document)
        size += len(document.text)
        if size >= BLOCK_BYTES:
            yield Block.of(group)
            group, size = [], 0
    if group:
        yield Block.of(group)


def _size(block: Block) -> Size:
    size = Size()
    for text in block.texts:
        size.count(text)
    return size


@contextmanager
def named(number: int) -> Iterator[None]:
    """Put the source's place in the recipe before the field that its error names."""
    try:
        yield
    except BadInput as error:
        raise BadInput(*(_renamed(problem, number) for problem in error.problems)) from None


def _renamed(problem: Problem, number: int) -> Problem:
    return replace(problem, field=f"data.sources.{number}.{problem.field}")
