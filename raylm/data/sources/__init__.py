"""What a data source is; every other file here is one source."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Literal

from raylm.config.choice import Choice
from raylm.config.sections import knob
from raylm.data.documents import BadRow, Document, Input, is_blank
from raylm.data.files import stem
from raylm.data.record_text import RecordText
from raylm.data.row_source import Row, check_columns, documents
from raylm.data.row_task import RowTask

__all__ = ["BadRow", "Document", "Input", "Source"]

# Fields that say what a source is or how often it is drawn, not which documents it holds.
_ABOUT = frozenset(
    {"name", "licence", "origin", "retrieved", "weight", "max_epochs", "split", "on_bad_row", "max_bad_rows"}
)


class Source(Choice):
    """Where documents come from."""

    name: str = knob("", group="Provenance")
    """What reports and commands call the source; unset: the name of its file or folder."""
    licence: str = knob("unknown", group="Provenance")
    """Licence of the texts, such as "CC-BY-4.0"; kept in the dataset's ledger."""
    origin: str = knob("", group="Provenance")
    """Where the texts were taken from, such as a URL; kept in the dataset's ledger."""
    retrieved: str = knob("", group="Provenance")
    """When the texts were taken from there, such as 2026-11-24; kept in the dataset's ledger."""
    weight: float | None = knob(None, gt=0, le=1e6, group="Mixture")
    """How often the source is drawn beside the others; unset for all: each row once an epoch."""
    max_epochs: float | None = knob(None, unit="passes", gt=0, le=1e6, group="Mixture")
    """The most passes over this source; the others take its share from then on."""
    split: Literal["share", "train", "validation", "test"] = knob("share", group="Mixture", advanced=True)
    """share: divided by data.validation_share and data.test_share; else all of it on that side."""
    on_bad_row: Literal["fail", "skip"] = knob("fail", advanced=True)
    """What becomes of a row that holds no document: an error, or skipped and counted."""
    max_bad_rows: int = knob(100, unit="rows", ge=0, advanced=True)
    """With on_bad_row: skip, the most rows skipped in this source before it is an error after all."""

    @abstractmethod
    def inputs(self) -> tuple[Input, ...]:
        """Return what is read, in the order in which it is read.

        Raises:
            BadInput: one is missing or cannot be read; its field is this source's own, such as "path".
        """

    @abstractmethod
    def digest(self, item: Input, progress: Callable[[int], None]) -> str:
        """Return a sha256 that changes with the content; `progress` gets the bytes since its last call."""

    def stamp(self, item: Input) -> str:
        """Return a text that changes when the input is written again, quicker than its digest; "" if none."""
        del item
        return ""

    @abstractmethod
    def read(self, item: Input) -> Iterator[Document | BadRow]:
        """Yield every document of one input, blank ones too, and what ought to be one and is not.

        With on_bad_row: fail, nothing need follow a bad row.

        Raises:
            BadInput: the input as a whole cannot be read; names the file, the byte and the line.
        """

    def records(self, item: Input, task: RowTask) -> Iterator[Document | BadRow]:
        """Yield the record that a task makes of every row of one input: its texts, and all of it as JSON.

        Here a row is what `read` gives, its fields `text` and `file`: what the file is called, without folder
        and ending. Blank documents stay as they are.

        Raises:
            BadInput: as `read`, or the task reads a field that no row has.
        """
        maker = RecordText(task)
        check_columns(maker, ("text", "file"), item.name)
        return documents((_as_row(row, stem(item.name)) for row in self.read(item)), maker, self.on_bad_row)

    def label(self) -> str:
        """Return the name that reports use when the recipe gives none."""
        return self.kind  # pyright: ignore[reportAttributeAccessIssue] - every kind has one

    def settings(self) -> dict[str, Any]:
        """Return what decides the documents besides the inputs' content; where they lie does not."""
        return self.model_dump(mode="json", exclude={*_ABOUT, "path"}) | self.plugin()


def _as_row(row: Document | BadRow, file: str) -> Row | Document | BadRow:
    if isinstance(row, BadRow) or is_blank(row.text):
        return row
    return Row(row.origin, {"text": row.text, "file": file})
