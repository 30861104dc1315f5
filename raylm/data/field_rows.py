"""Rows of named fields from small files, whole: JSON lines, tables, and text with a row a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from raylm.config.errors import BadInput
from raylm.data.file_source import TextFileSource
from raylm.data.files import stem, suffix_of
from raylm.data.json_list import read_items
from raylm.data.reading import as_error, read_lines, read_text
from raylm.data.records import FieldText, NoTextError, TemplateText, look_up, type_name
from raylm.data.sources import BadRow

_Numbered: TypeAlias = Iterator[tuple[Mapping[str, Any], int]]


class FieldRow(NamedTuple):
    """Named values, and where they stand."""

    values: Mapping[str, Any]
    origin: str
    """`file:line`, from 1."""
    file: str
    """What the file is called, without folder and ending."""

    def bad(self, setting: str, message: str, mend: str = "") -> BadInput:
        """Return the error about this row."""
        return BadInput.one(setting, message, mend, location=self.origin, code="bad-row")

    def text(self, name: str, setting: str) -> str:
        """Return the text of a field, `answers.text` for one inside another.

        Raises:
            BadInput: there is none; names the setting that asks for it, the file and the line.
        """
        return self._made(FieldText(name), setting)

    def filled(self, template: TemplateText, setting: str) -> str:
        """Return a template with the row's values in it; raises as `text`."""
        return self._made(template, setting)

    def value(self, name: str, setting: str) -> Any:
        """Return a field of any type; raises as `text`."""
        try:
            return look_up(self.values, name, was_seen=False)
        except NoTextError as error:
            raise self.bad(setting, error.message, error.mend) from None

    def _made(self, maker: FieldText | TemplateText, setting: str) -> str:
        try:
            return maker.of(self.values)
        except NoTextError as error:
            raise self.bad(setting, error.message, error.mend) from None


def field_rows(files: TextFileSource) -> list[FieldRow]:
    """Return the rows of all files, in order; blank lines are none.

    What a file is, its name says: .jsonl holds an object a line, .json a list of objects, .csv and .tsv a
    table under its header; anything else is text, each line a row whose only field is `text`.

    Raises:
        BadInput: a file cannot be read or a row is no row; names the file and the line.
    """
    found = [row for item in files.inputs() for row in _rows(item.name, files.encoding, files.errors)]
    if not found:
        raise BadInput.one("path", f"no rows in {', '.join(files.patterns)}", code="empty")
    return found


def numbered_lines(name: str, encoding: str = "utf-8", errors: str = "strict") -> Iterator[tuple[str, int]]:
    """Yield the lines of a file with their numbers.

    Raises:
        BadInput: as `read_lines`, and for bytes that do not fit the encoding.
    """
    for portion in read_lines(name, encoding, errors):
        if isinstance(portion, BadRow):
            raise as_error(portion)
        for number, line in enumerate(portion.lines, start=portion.first):
            yield line, number


def _rows(name: str, encoding: str, errors: str) -> Iterator[FieldRow]:
    read = _READERS.get(suffix_of(name), _from_text)
    for values, number in read(name, encoding, errors):
        yield FieldRow(values, f"{name}:{number}", stem(name))


def _from_json_lines(name: str, encoding: str, errors: str) -> _Numbered:
    for line, number in numbered_lines(name, encoding, errors):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            message, place = f"not JSON: {error}", f"{name}:{number}"
            raise BadInput.one("path", message, "write one object a line", place, "json") from None
        yield _object(value, f"{name}:{number}"), number


def _from_json_list(name: str, encoding: str, errors: str) -> _Numbered:
    for number, value in read_items(read_text(name, encoding, errors), name):
        yield _object(value, f"{name}:{number}"), number


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadInput.one("path", f"want an object, got {type_name(value)}", "", place, "json")
    return value


def _from_table(name: str, encoding: str, errors: str) -> _Numbered:
    lines = (f"{line}\n" for line, _ in numbered_lines(name, encoding, errors))
    reader = csv.reader(lines, delimiter="\t" if suffix_of(name) == ".tsv" else ",", strict=True)
    header: Sequence[str] = ()
    while True:
        first = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise BadInput.one("path", f"not CSV: {error}", "", f"{name}:{first}", "csv") from None
        if fields is None:
            return
        if not header:
            header = fields
        elif fields:
            yield _record(header, fields, f"{name}:{first}"), first


def _record(header: Sequence[str], fields: Sequence[str], place: str) -> Mapping[str, str]:
    if len(fields) != len(header):
        message = f"{len(fields)} fields, header has {len(header)}"
        raise BadInput.one("path", message, "quote a field with a delimiter in it", place, "ragged")
    return dict(zip(header, fields, strict=True))


def _from_text(name: str, encoding: str, errors: str) -> _Numbered:
    for line, number in numbered_lines(name, encoding, errors):
        if line.strip():
            yield {"text": line.strip()}, number


_READERS: Mapping[str, Callable[[str, str, str], _Numbered]] = {
    ".jsonl": _from_json_lines,
    ".ndjson": _from_json_lines,
    ".json": _from_json_list,
    ".csv": _from_table,
    ".tsv": _from_table,
}
