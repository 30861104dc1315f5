"""Plain text files: a whole file, each paragraph or each line is a document."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

from raylm.data.file_source import TextFileSource
from raylm.data.reading import Lines, as_error, read_lines, read_text
from raylm.data.sources import BadRow, Document, Input, Source


class Text(TextFileSource, Source):
    """Text files, plain or packed."""

    kind: Literal["text"] = "text"
    by: Literal["file", "paragraph", "line"] = "file"
    """What one document is; paragraphs are parted by blank lines."""

    def read(self, item: Input) -> Iterator[Document | BadRow]:
        if self.by == "file":
            yield Document("".join(read_text(item.name, self.encoding, self.errors)), f"{item.name}:1")
            return
        portions = read_lines(item.name, self.encoding, self.errors)
        yield from (_lines if self.by == "line" else _paragraphs)(portions, item.name)


def _lines(portions: Iterator[Lines | BadRow], name: str) -> Iterator[Document | BadRow]:
    for portion in portions:
        if isinstance(portion, BadRow):
            yield portion
            continue
        yield from map(Document, portion.lines, map(f"{name}:{{}}".format, count(portion.first)))


def _paragraphs(portions: Iterator[Lines | BadRow], name: str) -> Iterator[Document]:
    """Yield each run of lines that are not blank."""
    paragraph: list[str] = []
    start = 1
    for portion in portions:
        if isinstance(portion, BadRow):
            raise as_error(portion)  # which paragraph the line belongs to cannot be told
        for number, line in enumerate(portion.lines, start=portion.first):
            if line and not line.isspace():
                if not paragraph:
                    start = number
                paragraph.append(line)
            elif paragraph:
                yield Document("\n".join(paragraph), f"{name}:{start}")
                paragraph = []
    if paragraph:
        yield Document("\n".join(paragraph), f"{name}:{start}")
