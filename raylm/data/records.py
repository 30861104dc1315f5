"""Making a document's text of a row of named fields, by one field or by a template over several."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from string import Formatter
from typing import Any, NamedTuple, Protocol

from raylm.config.near import did_you_mean
from raylm.data.documents import Document

_TYPES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    list: "list",
    dict: "object",
    bytes: "bytes",
}
_ALIKE = {"whole number": "number"}  # 1 and 1.5 may stand in one column
_MANY_COLUMNS = 20
_INT64 = range(-(2**63), 2**64)


def type_name(value: object) -> str:
    """Return what a person calls the type of a value, such as "whole number"."""
    return "null" if value is None else _TYPES.get(type(value), type(value).__name__)


def plain_type(value: object) -> str:
    """Return `type_name`, the same for values that may stand in one column."""
    return _ALIKE.get(type_name(value), type_name(value))


def types_text(name: str, counts: Mapping[str, int]) -> str:
    """Return which types a field had, for a person; empty for none."""
    listed = (f"{kind} in {count:,} {'rows' if count > 1 else 'row'}" for kind, count in counts.items())
    return f"{name}: {', '.join(listed)}" if counts else ""


class NoTextError(Exception):
    """A row holds no text where its source looks for it."""

    def __init__(self, message: str, mend: str = "", code: str = "bad-row", name: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.code = code
        self.name = name
        """The field it is about."""


class RowText(Protocol):
    """Makes a document of a row."""

    setting: str
    """The source's field that says how, for errors."""
    names: tuple[str, ...]
    """The fields that are read."""

    def document(self, row: Mapping[str, Any], origin: str) -> Document:
        """Return the document of a row that stands there.

        Raises:
            NoTextError: there is none.
        """
        ...

    def types_of(self, name: str) -> str:
        """Return which types a field had, for a person; empty when that says nothing more."""
        ...


class Part(NamedTuple):
    """A piece of a template: text as it stands, then a field, or none at the end."""

    literal: str
    name: str | None


def parse_template(template: str) -> tuple[Part, ...]:
    """Return the pieces of a template such as "Question: {question} Answer: {answers.text.0}".

    Raises:
        ValueError: it is not one, or asks for more than a field's value; says what to write.
    """
    parts = []
    for literal, name, spec, conversion in Formatter().parse(template):
        if spec or conversion:
            raise ValueError(f"{{{name}}} can only be the field's value; write {{{{ and }}}} for braces")
        if name is not None and not name.strip("."):
            raise ValueError("an empty {} names no field; write {{ and }} for braces")
        parts.append(Part(literal, name))
    if not any(part.name for part in parts):
        raise ValueError("it names no field; write such as {title}")
    return tuple(parts)


class FieldText:
    """The text of one field."""

    setting = "text_field"

    def __init__(self, name: str) -> None:
        self._name = name
        self._was_seen = False
        self.names = (name,)

    def document(self, row: Mapping[str, Any], origin: str) -> Document:
        """Return the document of a row; raises as `of`."""
        return Document(self.of(row), origin)

    def of(self, row: Mapping[str, Any]) -> str:
        """Return the text of a row.

        Raises:
            NoTextError: the field is missing, or is no text.
        """
        name = self._name
        value = row[name] if name in row else look_up(row, name, was_seen=self._was_seen)
        self._was_seen = True
        if isinstance(value, str):
            return value
        if value is None:
            raise NoTextError(f"{name} is null", code="null", name=name)
        message = f"{name}: want text, got {type_name(value)}"
        raise NoTextError(message, _inside(name, value), "type", name)

    def types_of(self, name: str) -> str:
        """Return which types a field had, for a person; empty when that says nothing more."""
        del name
        return ""


class TemplateText:
    """Several fields put into a template; keeps in mind which types each had."""

    setting = "template"

    def __init__(self, template: str) -> None:
        self._parts = parse_template(template)
        self._types: dict[str, Counter[str]] = {part.name: Counter() for part in self._parts if part.name}
        self.names = tuple(self._types)

    def document(self, row: Mapping[str, Any], origin: str) -> Document:
        """Return the document of a row; raises as `of`."""
        return Document(self.of(row), origin)

    def of(self, row: Mapping[str, Any]) -> str:
        """Return the text of a row.

        Raises:
            NoTextError: a field is missing, null, NaN, no plain value, or of another type than before.
        """
        values = {name: self._value(row, name, types) for name, types in self._types.items()}
        return "".join([literal + (values[name] if name else "") for literal, name in self._parts])

    def _value(self, row: Mapping[str, Any], name: str, types: Counter[str]) -> str:
        value = row[name] if name in row else look_up(row, name, was_seen=bool(types))
        if type(value) is str:
            found = "text"
        else:
            _refuse_odd(name, value)
            found = plain_type(value)
        before = next(iter(types), found)
        types[found] += 1
        if found != before:
            raise NoTextError(f"{name}: {found}, {before} in the rows before", code="types", name=name)
        return str(value)

    def types_of(self, name: str) -> str:
        """Return which types a field had, for a person."""
        return types_text(name, self._types[name])


def _refuse_odd(name: str, value: Any) -> None:
    if value is None:
        raise NoTextError(f"{name} is null", code="null", name=name)
    if isinstance(value, list | dict):
        mend = _inside(name, value)
        raise NoTextError(f"{name}: want text or a number, got {type_name(value)}", mend, "type", name)
    if isinstance(value, float) and math.isnan(value):
        raise NoTextError(f"{name} is NaN", code="nan", name=name)
    if isinstance(value, int) and value not in _INT64:
        raise NoTextError(f"{name}: too large for 64 bit", "quote it", "large", name)


def _inside(name: str, value: Any) -> str:
    """Return how to name something inside a list or an object."""
    if isinstance(value, list):
        return f"name one item, such as {name}.0"
    if isinstance(value, dict) and value:
        return f"name one of its fields, such as {name}.{next(iter(value))}"
    return ""


def look_up(row: Mapping[str, Any], name: str, *, was_seen: bool) -> Any:
    """Return the value at a dotted name, such as answers.text.0.

    Raises:
        NoTextError: there is none.
    """
    value: Any = row
    path: list[str] = []
    for part in name.split("."):
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            raise _missing(name, value, path, was_seen=was_seen)
        path.append(part)
    return value


def _missing(name: str, value: Any, path: list[str], *, was_seen: bool) -> NoTextError:
    if was_seen or not isinstance(value, Mapping):
        return NoTextError(f"{name} is missing", code="missing", name=name)
    return no_column(name, [".".join([*path, key]) for key in value])


def no_column(name: str, columns: Iterable[str]) -> NoTextError:
    """Return the error for a field that no row has."""
    columns = list(columns)
    listed = ", ".join(columns[:_MANY_COLUMNS]) + (", ..." if len(columns) > _MANY_COLUMNS else "")
    message = f"no {name!r}; columns are {listed}" if columns else f"no {name!r}; there are no columns"
    return NoTextError(message, did_you_mean(name, columns), "no-column", name)
