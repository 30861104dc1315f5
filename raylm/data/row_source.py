"""What the sources that read rows of named fields have in common: which fields make a document's text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal, NamedTuple, Self

from pydantic import field_validator, model_validator

from raylm.config.errors import BadInput
from raylm.config.sections import Section, knob
from raylm.data.documents import BadRow, Document
from raylm.data.records import FieldText, NoTextError, TemplateText, no_column, parse_template

_LOOK_AHEAD = 100_000  # rows read on after a bad one, to say how many there are
_COUNTED = frozenset({"null", "missing", "type", "types", "nan", "large"})


class Row(NamedTuple):
    """Named values and the line or the row where they stand, from 1."""

    number: int
    values: Mapping[str, Any]


class RowSource(Section):
    """The part of a source of which every row is a document."""

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

    def field_names(self) -> tuple[str, ...]:
        """Return the fields that the text is made of."""
        return self._maker().names

    def _maker(self) -> FieldText | TemplateText:
        return TemplateText(self.template) if self.template else FieldText(self.text_field or "text")

    def check_columns(self, columns: Iterable[str], place: str) -> None:
        """Refuse a field that no row can have.

        Raises:
            BadInput: names the columns there are.
        """
        maker, columns = self._maker(), list(columns)
        for name in maker.names:
            if name not in columns and name.split(".")[0] not in columns:
                error = no_column(name, columns)
                raise BadInput.one(maker.setting, error.message, error.mend, place, error.code)

    def documents(
        self, rows: Iterable[Row | BadRow], name: str, on_bad_row: Literal["fail", "skip"]
    ) -> Iterator[Document | BadRow]:
        """Yield the document of each row of an input.

        With "fail", the first bad row says how many more there are like it, and nothing follows it.
        """
        maker = self._maker()
        made = _made(rows, maker, name)
        for number, item in enumerate(made, start=1):
            if isinstance(item, BadRow) and on_bad_row == "fail" and item.code in _COUNTED:
                yield _counted(item, number, made, maker)
                return
            yield item


def _made(
    rows: Iterable[Row | BadRow], maker: FieldText | TemplateText, name: str
) -> Iterator[Document | BadRow]:
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            yield Document(maker.of(row.values), f"{name}:{row.number}")
        except NoTextError as error:
            yield BadRow(f"{name}:{row.number}", maker.setting, error.message, error.mend, error.code)


def _counted(
    first: BadRow, number: int, others: Iterator[Document | BadRow], maker: FieldText | TemplateText
) -> BadRow:
    """Return the first bad row with how many more there are, out of how many rows."""
    same, total = 1, number
    for item in islice(others, _LOOK_AHEAD):
        total += 1
        same += isinstance(item, BadRow) and item.message == first.message
    if first.code == "types":
        name, line = first.message.partition(":")[0], first.origin.rpartition(":")[2]
        return first._replace(message=f"{maker.types_of(name)} (first at line {line})")
    return first._replace(message=f"{first.message} ({same:,} of {total:,} rows)")
