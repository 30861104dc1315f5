"""Reading files as bytes, text or lines, with an error that names the file, the byte and the line."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple, cast

from raylm.config.errors import BadInput
from raylm.data.documents import BadRow
from raylm.data.files import PACKED, blocks_of, open_file, readable

_MAGIC = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
_FORMAT = {".gz": "gzip", ".zst": "zstandard"}
_COPY_AGAIN = "copy it again"


class Lines(NamedTuple):
    """Lines that stand one after the other, without their ends."""

    first: int
    """Number of the first one, from 1."""
    lines: list[str]


def read_bytes(name: str) -> Iterator[bytes]:
    """Yield the bytes of a file block by block, unpacked if its name ends in .gz or .zst.

    Raises:
        BadInput: the file cannot be read, is packed and damaged, or is not packed as its name says.
    """
    suffix = PurePosixPath(name).suffix
    with readable(name), open_file(name) as file:
        _check_name(file, name, suffix)
        yield from _unpacked(file, name, suffix) if suffix in PACKED else blocks_of(file)


def _check_name(file: BinaryIO, name: str, suffix: str) -> None:
    head = file.read(4)
    file.seek(0)
    path = PurePosixPath(name)
    for ending, magic in _MAGIC.items():
        if head.startswith(magic) and suffix != ending:
            message = f"{name} is {_FORMAT[ending]}"
            raise BadInput.one("path", message, f"rename it to {path.name}{ending}", code=_FORMAT[ending])
    if suffix in PACKED and head and not head.startswith(_MAGIC[suffix]):
        message = f"{name} is not {_FORMAT[suffix]}"
        raise BadInput.one("path", message, f"rename it to {path.stem}", code=f"not-{_FORMAT[suffix]}")


def _unpacked(file: BinaryIO, name: str, suffix: str) -> Iterator[bytes]:
    num_bytes = 0
    try:
        for block in blocks_of(_UNPACKERS[suffix](file)):
            num_bytes += len(block)
            yield block
    except (EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # the file's own, not of what is in it
            raise
        if isinstance(error, EOFError) or "Truncated" in str(error):
            message = f"{name} is cut off after {num_bytes} bytes of text"
            raise BadInput.one("path", message, _COPY_AGAIN, code="cut-off") from None
        raise BadInput.one("path", f"{name} is damaged: {error}", _COPY_AGAIN, code="damaged") from None


def _gunzip(file: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=file))


def _unzstd(file: BinaryIO) -> BinaryIO:
    import pyarrow as pa

    # Arrow's stream says when a file is cut off, and reads frames that follow each other.
    return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")


_UNPACKERS = {".gz": _gunzip, ".zst": _unzstd}


def read_text(name: str, encoding: str = "utf-8", errors: str = "strict") -> Iterator[str]:
    """Yield the text of a file block by block, without its byte-order mark.

    Raises:
        BadInput: as `read_bytes`, or the bytes do not fit the encoding.
    """
    is_utf8 = codecs.lookup(encoding).name == "utf-8"
    decoder = codecs.getincrementaldecoder("utf-8-sig" if is_utf8 else encoding)(errors)
    num_bytes = num_lines = 0
    for block in chain(read_bytes(name), [b""]):
        num_bytes += len(block)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # What could not be decoded ends where the block ends.
            start = num_bytes - len(error.object) + error.start
            line = num_lines + error.object[: error.start].count(b"\n") + 1
            raise as_error(_not_text(name, start, line, encoding)) from None
        num_lines += text.count("\n")
        yield text


def _not_text(place: str, start: int, line: int, encoding: str) -> BadRow:
    message = f"byte {start} (line {line}) is not {encoding.upper()}"
    mend = "set the source's encoding, or errors: replace"
    return BadRow(f"{place}:{line}", "path", message, mend, code="encoding")


def as_error(row: BadRow) -> BadInput:
    """Return the error for a row that cannot be skipped."""
    return BadInput.one(row.field, row.message, row.mend, location=row.origin, code=row.code)


def read_lines(name: str, encoding: str = "utf-8", errors: str = "strict") -> Iterator[Lines | BadRow]:
    """Yield the lines of a file, about a block of them at a time, without its byte-order mark.

    Only a newline ends a line; a carriage return before it is dropped. A line whose bytes do not fit the
    encoding is a bad row, where lines can be told apart before they are decoded (not in UTF-16 and UTF-32).

    Raises:
        BadInput: as `read_text`.
    """
    blocks = read_bytes(name)
    if "\n".encode(encoding) != b"\n":
        blocks, encoding = (text.encode() for text in read_text(name, encoding, errors)), "utf-8"
    mark = codecs.BOM_UTF8 if codecs.lookup(encoding).name == "utf-8" else b""
    first, start = 1, 0
    for data in _whole_lines(blocks):
        body = data if start else data.removeprefix(mark)
        try:
            lines = _split(body.decode(encoding, errors))
        except UnicodeDecodeError:
            yield from _one_by_one(body, first, start + len(data) - len(body), (name, encoding))
        else:
            yield Lines(first, lines)
        first, start = first + data.count(b"\n"), start + len(data)


def _one_by_one(data: bytes, first: int, start: int, what: tuple[str, str]) -> Iterator[Lines | BadRow]:
    """Yield the lines of a portion with a bad one among them."""
    name, encoding = what
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=first):
        try:
            yield Lines(number, _split(line.decode(encoding) + "\n"))
        except UnicodeDecodeError as error:
            yield _not_text(name, start + error.start, number, encoding)
        start += len(line) + 1


def _split(text: str) -> list[str]:
    lines = text.removesuffix("\n").split("\n")
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Join blocks so that each ends with a line; a long line is joined once, so that it costs no more."""
    parts: list[bytes] = []
    for block in blocks:
        end = block.rfind(b"\n") + 1
        parts.append(block[:end] if end else block)
        if end:
            yield b"".join(parts)
            parts = [block[end:]]
    if rest := b"".join(parts):
        yield rest
