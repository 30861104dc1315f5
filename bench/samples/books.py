"""The books that ship, as chapters of plain paragraphs."""

import gzip
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from raylm.data.sentences import sentence_starts

_HEADING = re.compile(r"^#+ +(.*)$")
_QUOTE_WITHIN_WORD = re.compile(r"(?<=\w)'(?=\w)")
_SPEECH = re.compile(r"""["'`()\[\]\u2018-\u201d]""")
_MARKUP = re.compile(r"[_*]+")


class Chapter(NamedTuple):
    """A part of a book under one heading."""

    book: str
    title: str
    paragraphs: Sequence[str]


def chapters(folder: Path) -> list[Chapter]:
    """Return the chapters of all books in a folder, in order."""
    files = sorted(path for path in folder.iterdir() if path.name.endswith((".md", ".md.gz")))
    books = [path for path in files if path.name != "README.md" and "LICENSE" not in path.name]
    return [chapter for path in books for chapter in _chapters_of(path)]


def _chapters_of(path: Path) -> Iterator[Chapter]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    book, title, paragraphs = "", "", []
    for block in re.split(r"\n\s*\n", text):
        found = _HEADING.match(block.strip())
        if not found:
            paragraphs += [_plain(block)] if title else []
        elif found[1].startswith("Title: "):
            book = found[1].removeprefix("Title: ").strip()
        elif not found[1].startswith(("Author: ", "Year: ")):
            if paragraphs:
                yield Chapter(book, title, paragraphs)
            title, paragraphs = found[1].strip(), []
    if paragraphs:
        yield Chapter(book, title, paragraphs)


def _plain(block: str) -> str:
    """Return a paragraph without marks of emphasis, on one line."""
    return " ".join(_MARKUP.sub("", block).split())


def sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph."""
    cuts = [0, *sentence_starts(text), len(text)]
    return [part for start, stop in pairwise(cuts) if (part := text[start:stop].strip())]


def is_narrative(sentence: str) -> bool:
    """Whether nobody speaks in a sentence, as far as the marks tell."""
    return not _SPEECH.search(_QUOTE_WITHIN_WORD.sub("", sentence))
