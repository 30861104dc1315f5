"""Tables of text: comma-separated, tab-separated or separated by another character."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator
from typing import Literal

from pydantic import field_validator

from raylm.config.errors import BadInput
from raylm.config.sections import knob
from raylm.data.file_source import TextFileSource
from raylm.data.files import PACKED
from raylm.data.reading import as_error, read_lines
from raylm.data.records import RowText
from raylm.data.row_source import Row, RowSource, check_columns
from raylm.data.sources import BadRow, Input, Source

_LONGEST_ROW = 1 << 26  # characters; a quote that is never closed would else take in the rest of the file
_LARGEST_FIELD = 2**31 - 1  # the module's own limit is 131,072 characters, for the whole process


class Csv(RowSource, TextFileSource, Source):
    """CSV and TSV files, plain or packed."""

    kind: Literal["csv"] = "csv"
    delimiter: str = ""
    """What parts the fields; unset: a tab for .tsv and .tab, else a comma."""
    quote: str = knob('"', advanced=True)
    """What encloses a field with a delimiter or a line end in it, doubled inside; "" for none."""
    columns: tuple[str, ...] = ()
    """Names of the columns of files without a header line; unset: the first line names them."""

    @field_validator("delimiter", "quote")
    @classmethod
    def _one_character(cls, text: str) -> str:
        if len(text) > 1 or text in ("\n", "\r"):
            raise ValueError(f"want one character, got {text!r}")
        return text

    def digest(self, item: Input, progress: Callable[[int], None]) -> str:
        content = super().digest(item, progress)  # the name decides the delimiter, so it counts too
        return hashlib.sha256(f"{self._delimiter(item.name)}{content}".encode()).hexdigest()

    def rows(self, item: Input, maker: RowText) -> Iterator[Row | BadRow]:
        name = item.name
        table = _Table(name, self._lines(name), self._dialect(name))
        columns = list(self.columns)
        for number, fields in table:
            if isinstance(fields, BadRow):
                yield fields
            elif not columns:
                columns = fields
                _check_header(maker, columns, f"{name}:{number}")
            elif len(fields) == len(columns):
                yield Row(f"{name}:{number}", dict(zip(columns, fields, strict=True)))
            elif fields:
                yield _ragged(fields, columns, f"{name}:{number}", has_header=not self.columns)

    def _lines(self, name: str) -> Iterator[str]:
        for portion in read_lines(name, self.encoding, self.errors):
            if isinstance(portion, BadRow):
                raise as_error(portion)  # which row the line belongs to cannot be told
            for line in portion.lines:
                yield line + "\n"

    def _dialect(self, name: str) -> dict[str, object]:
        quoting = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        return {"delimiter": self._delimiter(name), "quotechar": self.quote or None, "quoting": quoting}

    def _delimiter(self, name: str) -> str:
        for ending in PACKED:
            name = name.removesuffix(ending)
        return self.delimiter or ("\t" if name.endswith((".tsv", ".tab")) else ",")


def _check_header(maker: RowText, columns: list[str], place: str) -> None:
    check_columns(maker, columns, place)
    twice = [name for name in maker.names if columns.count(name) > 1]
    if twice:
        message = f"{columns.count(twice[0])} columns are called {twice[0]!r}"
        raise BadInput.one("path", message, "rename one of them", place, "columns")


class _Table:
    """Rows of fields, each with its line; knows when a quote is not closed."""

    def __init__(self, name: str, lines: Iterator[str], dialect: dict[str, object]) -> None:
        self._name = name
        self._lines = lines
        self._line = 0  # before the row that is read
        self._size = 0  # of that row
        csv.field_size_limit(_LARGEST_FIELD)
        self._reader = csv.reader(self._counted(), strict=True, **dialect)  # pyright: ignore[reportArgumentType]

    def __iter__(self) -> Iterator[tuple[int, list[str] | BadRow]]:
        while True:
            number, self._size = self._reader.line_num + 1, 0
            self._line = number
            try:
                fields = next(self._reader, None)
            except csv.Error as error:
                yield number, self._bad(error, number)
                continue
            if fields is None:
                return
            yield number, fields

    def _counted(self) -> Iterator[str]:
        for line in self._lines:
            self._size += len(line)
            if self._size > _LONGEST_ROW and self._reader.line_num > self._line:
                raise self._unclosed(f"not closed within {_LONGEST_ROW >> 20} MB")
            yield line

    def _bad(self, error: csv.Error, number: int) -> BadRow:
        if "unexpected end of data" in str(error):
            raise self._unclosed("never closed") from None
        return BadRow(
            f"{self._name}:{number}", "path", f"not CSV: {error}", "double a quote inside quotes", "not-csv"
        )

    def _unclosed(self, what: str) -> BadInput:
        mend = 'close it, or set the source\'s quote: ""'
        return BadInput.one("path", f"quote opened, {what}", mend, f"{self._name}:{self._line}", "quote")


def _ragged(fields: list[str], columns: list[str], place: str, *, has_header: bool) -> BadRow:
    count = f"{len(fields)} {'field' if len(fields) == 1 else 'fields'}"
    rule = f"header has {len(columns)}" if has_header else f"columns names {len(columns)}"
    return BadRow(place, "path", f"{count}, {rule}", "quote a field with a delimiter in it", "ragged")
