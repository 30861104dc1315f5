"""Plain text files: a whole file, each paragraph or each line is a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from raylm.config.sections import knob
from raylm.data.files import find_files, read_text
from raylm.data.sources import Document, Source


class Text(Source):
    """Text files, plain or gzip."""

    kind: Literal["text"] = "text"
    path: str | tuple[str, ...]
    """A file, a pattern such as corpus/**/*.txt, or a list of these; names that end in .gz are unpacked."""
    by: Literal["file", "paragraph", "line"] = "file"
    """What one document is; paragraphs are parted by blank lines."""
    encoding: str = knob("utf-8", advanced=True)
    """How the bytes of the files are to be read."""
    errors: Literal["strict", "replace"] = knob("strict", advanced=True)
    """strict: a byte that does not fit the encoding is an error; replace: it becomes U+FFFD."""

    @field_validator("path")
    @classmethod
    def _not_empty(cls, path: str | tuple[str, ...]) -> str | tuple[str, ...]:
        patterns = (path,) if isinstance(path, str) else path
        if not patterns or not all(pattern.strip() for pattern in patterns):
            raise ValueError("name at least one file")
        return path

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError(
                f"Python knows no text encoding {encoding!r}; usual ones are utf-8, latin-1"
            ) from None
        return encoding

    def files(self) -> tuple[Path, ...]:
        return find_files((self.path,) if isinstance(self.path, str) else self.path)

    def documents(self) -> Iterator[Document]:
        for path in self.files():
            blocks = read_text(path, self.encoding, self.errors)
            for line, text in _SPLITTERS[self.by](blocks):
                yield Document(text, f"{path}:{line}")


def _whole(blocks: Iterable[str]) -> Iterator[tuple[int, str]]:
    yield 1, "".join(blocks)


def _lines(blocks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield each line without its end, and its number."""
    for number, line in enumerate(_split_at_newlines(blocks), start=1):
        yield number, line.removesuffix("\r")


def _split_at_newlines(blocks: Iterable[str]) -> Iterator[str]:
    parts: list[str] = []  # of a line that has not ended yet; joined once, so that a long line costs no more
    for block in blocks:
        first, *others = block.split("\n")
        parts.append(first)
        if others:
            yield "".join(parts)
            yield from others[:-1]
            parts = [others[-1]]
    if last := "".join(parts):
        yield last


def _paragraphs(blocks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield each run of lines that are not blank, and the number of its first line."""
    paragraph: list[str] = []
    number = 0
    for number, line in _lines(blocks):
        if line.strip():
            paragraph.append(line)
        elif paragraph:
            yield number - len(paragraph), "\n".join(paragraph)
            paragraph = []
    if paragraph:
        yield number - len(paragraph) + 1, "\n".join(paragraph)


_SPLITTERS = {"file": _whole, "paragraph": _paragraphs, "line": _lines}
