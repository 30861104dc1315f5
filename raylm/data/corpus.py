"""All documents of the sources in order, and what they hold altogether."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from raylm.config.errors import BadInput
from raylm.data.files import BLOCK_BYTES
from raylm.data.progress import Meter
from raylm.data.sources import Source

LONG_DOCUMENT_BYTES = 10_000_000
Inventory = list[list[dict[str, Any]]]
"""Path, bytes and sha256 of every file, by source."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Part(NamedTuple):
    """A document and the number of its source in the recipe."""

    source: int
    text: str
    origin: str
    num_bytes: int
    """In UTF-8."""


@dataclass
class SourceSize:
    """What one source holds, blank documents left out of all but their own count."""

    num_documents: int = 0
    num_blank: int = 0
    num_characters: int = 0
    num_bytes: int = 0
    num_nul: int = 0
    num_replaced: int = 0

    def add(self, part: Part) -> None:
        self.num_documents += 1
        self.num_characters += len(part.text)
        self.num_bytes += part.num_bytes
        self.num_nul += part.text.count("\0")
        self.num_replaced += part.text.count("\ufffd")


@dataclass
class Survey:
    """What a corpus holds, source by source, and what a person should know about it."""

    sources: list[SourceSize]
    notes: tuple[str, ...]

    @property
    def num_characters(self) -> int:
        return sum(source.num_characters for source in self.sources)

    @property
    def num_documents(self) -> int:
        return sum(source.num_documents for source in self.sources)

    @property
    def num_bytes(self) -> int:
        return sum(source.num_bytes for source in self.sources)


class Corpus:
    """The documents of the sources, one source after the other."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def inventory(self, meter: Meter) -> Inventory:
        """Return path, bytes and sha256 of every file, by source.

        Raises:
            BadInput: a file is missing or is not a regular file.
        """
        found = []
        for number, source in enumerate(self._sources):
            with _named(number):
                found.append(source.files())
        meter.begin("checking files", sum(path.stat().st_size for files in found for path in files))
        listed = [
            [
                {"path": str(path), "bytes": path.stat().st_size, "sha256": _sha256(path, meter)}
                for path in files
            ]
            for files in found
        ]
        meter.end()
        return listed

    def documents(self) -> Iterator[Part]:
        """Yield every document that is not blank.

        Raises:
            BadInput: a file is not text.
        """
        return (part for part in self._parts() if not _is_blank(part.text))

    def survey(self, meter: Meter) -> Survey:
        """Count what the sources hold.

        Raises:
            BadInput: a file is not text, or a source holds no document.
        """
        meter.begin("reading")
        sizes = [SourceSize() for _ in self._sources]
        longest: Part | None = None
        for part in self._parts():
            if _is_blank(part.text):
                sizes[part.source].num_blank += 1
                continue
            sizes[part.source].add(part)
            meter.add(part.num_bytes)
            if longest is None or part.num_bytes > longest.num_bytes:
                longest = part._replace(text="")
        meter.end()
        self._refuse_empty(sizes)
        return Survey(sizes, tuple(_notes(sizes, longest)))

    def _parts(self) -> Iterator[Part]:
        for number, source in enumerate(self._sources):
            with _named(number):
                for document in source.documents():
                    text = _LONE_SURROGATE.sub("\ufffd", document.text)  # it has no UTF-8
                    yield Part(number, text, document.origin, len(text.encode()))

    def _refuse_empty(self, sizes: list[SourceSize]) -> None:
        for number, (source, size) in enumerate(zip(self._sources, sizes, strict=True)):
            if not size.num_documents:
                names = ", ".join(str(path) for path in source.files()[:3])
                blank = f", only {size.num_blank} blank documents" if size.num_blank else ""
                raise BadInput.one(f"data.sources.{number}.path", f"no text in {names}{blank}", code="empty")


def _is_blank(text: str) -> bool:
    return not text.replace("\0", "").strip()


def _sha256(path: Any, meter: Meter) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            meter.add(len(block))
    return digest.hexdigest()


def _notes(sizes: list[SourceSize], longest: Part | None) -> Iterator[str]:
    for number, size in enumerate(sizes):
        field = f"data.sources.{number}"
        if size.num_nul:
            yield f"{field}: {size.num_nul:,} NUL characters in the text"
        if size.num_replaced:
            yield f"{field}: {size.num_replaced:,} characters could not be read (U+FFFD)"
    if longest is not None and longest.num_bytes > LONG_DOCUMENT_BYTES:
        size_mb = longest.num_bytes / 1e6
        yield f"{longest.origin}: one document of {size_mb:,.0f} MB; `by: paragraph` makes shorter ones"


@contextmanager
def _named(number: int) -> Iterator[None]:
    """Put the source's place in the recipe before the field that its error names."""
    try:
        yield
    except BadInput as error:
        prefix = f"data.sources.{number}."
        raise BadInput(*(replace(one, field=prefix + one.field) for one in error.problems)) from None
