"""What the sources that read rows of named fields have in common: which fields make a document's text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from pydantic import field_validator, model_validator

from raylm.config.errors import BadInput
from raylm.config.sections import Section, knob
from raylm.data.documents import BadRow, Document, Input
from raylm.data.record_text import RecordText
from raylm.data.records import FieldText, NoTextError, RowText, TemplateText, no_column, parse_template
from raylm.data.row_task import RowTask

_LOOK_AHEAD = 100_000  # rows read on after a bad one, to say how many there are
_COUNTED = frozenset({"null", "missing", "type", "types", "nan", "large", "bad-row", "empty"})


class Row(NamedTuple):
    """Named values and where they stand."""

    origin: str
    """`file:line` or `file:row`, from 1."""
    values: Mapping[str, Any]


class RowSource(Section):
    """The part of a source of which every row is a document."""

    if TYPE_CHECKING:  # every source has it
        on_bad_row: Literal["fail", "skip"]

    text_field: str | None = knob(None, group="Text")
    """The field that holds the text, `answers.text` for one inside another; unset: text."""
    template: str = knob("", group="Text")
    """Instead of text_field: a text with fields in it, such as "Question: {question}\\nAnswer: {answer}"."""

    @field_validator("template")
    @classmethod
    def _is_template(cls, template: str) -> str:
        if template:
            parse_template(template)
        return template

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.template and self.text_field is not None:
            raise ValueError("give text_field or template, not both")
        return self

    @abstractmethod
    def rows(self, item: Input, maker: RowText) -> Iterator[Row | BadRow]:
        """Yield every row of an input, with at least the fields that the maker names.

        Raises:
            BadInput: the input as a whole cannot be read, or no row has one of those fields.
        """

    def read(self, item: Input) -> Iterator[Document | BadRow]:
        """Yield the document of each row of an input; see `Source.read`."""
        maker = TemplateText(self.template) if self.template else FieldText(self.text_field or "text")
        return documents(self.rows(item, maker), maker, self.on_bad_row)

    def records(self, item: Input, task: RowTask) -> Iterator[Document | BadRow]:
        """Yield the record of each row of an input; see `Source.records`."""
        maker = RecordText(task)
        return documents(self.rows(item, maker), maker, self.on_bad_row)


def check_columns(maker: RowText, columns: Iterable[str], place: str) -> None:
    """Refuse a field that no row can have.

    Raises:
        BadInput: names the columns there are.
    """
    columns = list(columns)
    for name in maker.names:
        if name not in columns and name.split(".")[0] not in columns:
            error = no_column(name, columns)
            raise BadInput.one(maker.setting, error.message, error.mend, place, error.code)


def documents(
    rows: Iterable[Row | Document | BadRow], maker: RowText, on_bad_row: Literal["fail", "skip"]
) -> Iterator[Document | BadRow]:
    """Yield the document of each row, and what is one already.

    With "fail", the first bad row says how many more there are like it, and nothing follows it.
    """
    made = _made(rows, maker)
    for number, item in enumerate(made, start=1):
        if isinstance(item, BadRow) and on_bad_row == "fail" and item.code in _COUNTED:
            yield _counted(item, number, made, maker)
            return
        yield item


def _made(rows: Iterable[Row | Document | BadRow], maker: RowText) -> Iterator[Document | BadRow]:
    for row in rows:
        if not isinstance(row, Row):
            yield row
            continue
        try:
            yield maker.document(row.values, row.origin)
        except NoTextError as error:
            yield BadRow(row.origin, maker.setting, error.message, error.mend, error.code)


def _counted(first: BadRow, number: int, others: Iterator[Document | BadRow], maker: RowText) -> BadRow:
    """Return the first bad row with how many more there are, out of how many rows."""
    same, total = 1, number
    for item in islice(others, _LOOK_AHEAD):
        total += 1
        same += isinstance(item, BadRow) and item.message == first.message
    if first.code == "types":
        name, line = first.message.partition(":")[0], first.origin.rpartition(":")[2]
        return first._replace(message=f"{maker.types_of(name) or first.message} (first at line {line})")
    return first._replace(message=f"{first.message} ({same:,} of {total:,} rows)")
