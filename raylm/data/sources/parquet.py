"""Parquet files, read some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from raylm.config.errors import BadInput
from raylm.data.file_source import FileSource
from raylm.data.files import open_file, readable
from raylm.data.records import RowText
from raylm.data.row_source import Row, RowSource, check_columns
from raylm.data.sources import BadRow, Input, Source

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_BATCH_ROWS = 1024


class Parquet(RowSource, FileSource, Source):
    """Parquet files; only the columns that are needed are read."""

    kind: Literal["parquet"] = "parquet"

    def rows(self, item: Input, maker: RowText) -> Iterator[Row | BadRow]:
        name = item.name
        import pyarrow as pa
        import pyarrow.parquet as pq

        with readable(name), open_file(name) as file:
            try:
                table = pq.ParquetFile(file)
                check_columns(maker, table.schema_arrow.names, name)
                yield from _numbered(table, _columns(maker, table), name)
            except (pa.ArrowException, OSError) as error:
                if isinstance(error, OSError) and error.errno:  # the file's own, not of what is in it
                    raise
                raise _damaged(name, error) from None


def _columns(maker: RowText, table: ParquetFile) -> list[str]:
    known = set(table.schema_arrow.names)
    return list(dict.fromkeys(name if name in known else name.split(".")[0] for name in maker.names))


def _numbered(table: ParquetFile, columns: list[str], name: str) -> Iterator[Row | BadRow]:
    number = 0
    for batch in table.iter_batches(_BATCH_ROWS, columns=columns):
        for values in zip(*(_values(column) for column in batch.columns), strict=True):
            number += 1
            odd = next((column for column, value in zip(columns, values, strict=True) if value is _ODD), None)
            if odd is None:
                yield Row(f"{name}:{number}", dict(zip(columns, values, strict=True)))
            else:
                mend = "write it as UTF-8"
                yield BadRow(f"{name}:{number}", "path", f"{odd} is not UTF-8", mend, "encoding")


_ODD = object()


def _values(column: Any) -> list[Any]:
    try:
        return column.to_pylist()
    except UnicodeDecodeError:
        return [_value(item) for item in column]


def _value(item: Any) -> Any:
    try:
        return item.as_py()
    except UnicodeDecodeError:
        return _ODD


def _damaged(name: str, error: Exception) -> BadInput:
    why = str(error).partition("\n")[0]
    what = "not Parquet, or is cut off" if "magic bytes" in why else f"damaged: {why}"
    return BadInput.one("path", f"{name} is {what}", "copy it again", code="damaged")
