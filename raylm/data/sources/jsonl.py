"""JSON files: one object a line, or one list of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from raylm.data.file_source import TextFileSource
from raylm.data.json_list import read_items
from raylm.data.reading import Lines, read_lines, read_text
from raylm.data.records import RowText, type_name
from raylm.data.row_source import Row, RowSource
from raylm.data.sources import BadRow, Input, Source

_MEND = "write one object a line, or one list of objects"
_SPACE = " \t\r\n"


class Jsonl(RowSource, TextFileSource, Source):
    """JSON lines, plain or packed; also a file that holds one list of objects."""

    kind: Literal["jsonl"] = "jsonl"

    def rows(self, item: Input, maker: RowText) -> Iterator[Row | BadRow]:
        del maker  # whether a field is there is seen row by row
        yield from (self._listed if self._is_list(item.name) else self._by_line)(item.name)

    def _is_list(self, name: str) -> bool:
        heads = (text.lstrip(_SPACE)[:1] for text in read_text(name, self.encoding, "replace"))
        return next(filter(None, heads), "") == "["

    def _by_line(self, name: str) -> Iterator[Row | BadRow]:
        torn: BadRow | None = None  # held back until it is known whether it is the last row
        for row in _rows(read_lines(name, self.encoding, self.errors), name):
            if torn is not None:
                yield torn
                torn = None
            if isinstance(row, BadRow) and row.code == "not-json":
                torn = row
            else:
                yield row
        if torn is not None:
            yield torn._replace(message=f"{torn.message} (file cut off?)")

    def _listed(self, name: str) -> Iterator[Row | BadRow]:
        for line, value in read_items(read_text(name, self.encoding, self.errors), name):
            yield _checked(value, line, name)


def _rows(portions: Iterator[Lines | BadRow], name: str) -> Iterator[Row | BadRow]:
    for portion in portions:
        if isinstance(portion, BadRow):
            yield portion
            continue
        for number, line in enumerate(portion.lines, start=portion.first):
            row = _row_of(number, line, name)
            if row is not None:
                yield row


def _row_of(number: int, line: str, name: str) -> Row | BadRow | None:
    """Return the row of a line, None for a blank one."""
    try:
        return _checked(json.loads(line), number, name)
    except json.JSONDecodeError as error:
        if not line or line.isspace():
            return None
        return BadRow(f"{name}:{number}", "path", _not_json(error, error.colno), _MEND, "not-json")
    except ValueError:  # Python's limit on digits
        message = "a number of more than 4300 digits"
        return BadRow(f"{name}:{number}", "path", message, "quote it", "digits")
    except RecursionError:
        return BadRow(f"{name}:{number}", "path", "objects inside objects, too many to read", code="deep")


def _not_json(error: json.JSONDecodeError, column: int) -> str:
    return f"not JSON: {error.msg[0].lower()}{error.msg[1:]} in column {column}"


def _checked(value: Any, number: int, name: str) -> Row | BadRow:
    if isinstance(value, dict):
        return Row(f"{name}:{number}", value)
    return BadRow(f"{name}:{number}", "path", f"want an object, got {type_name(value)}", _MEND, "not-object")
