"""What the sources that read files have in common: where the files lie, how their bytes become text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from pydantic import field_validator

from raylm.config.errors import BadInput
from raylm.config.sections import Section, knob
from raylm.data.documents import BadRow, Input
from raylm.data.files import file_digest, file_stamp, find_files, stem
from raylm.data.reading import read_lines


class FileSource(Section):
    """The part of a source of which every input is a file."""

    path: str | tuple[str, ...]
    """A file, a pattern such as corpus/**/*, an address such as s3://bucket/x, or a list of these; names that
    end in .gz or .zst are unpacked."""

    @field_validator("path")
    @classmethod
    def _not_empty(cls, path: str | tuple[str, ...]) -> str | tuple[str, ...]:
        patterns = (path,) if isinstance(path, str) else path
        if not patterns or not all(pattern.strip() for pattern in patterns):
            raise ValueError("name at least one file")
        return path

    @property
    def patterns(self) -> tuple[str, ...]:
        """What `path` holds, one or several."""
        return (self.path,) if isinstance(self.path, str) else self.path

    def inputs(self) -> tuple[Input, ...]:
        found = find_files(self.patterns)
        if not any(item.num_bytes for item in found):
            names = ", ".join(item.name for item in found[:3])
            raise BadInput.one("path", f"no text in {names}, not one byte", code="empty")
        return found

    def digest(self, item: Input, progress: Callable[[int], None]) -> str:
        return file_digest(item.name, progress)

    def stamp(self, item: Input) -> str:
        return file_stamp(item.name)

    def label(self) -> str:
        return stem(self.patterns[0]) or "files"


class TextFileSource(FileSource):
    """The part of a source of which every input is a file of text."""

    encoding: str = knob("utf-8", advanced=True)
    """How the bytes of the files are to be read."""
    errors: Literal["strict", "replace"] = knob("strict", advanced=True)
    """strict: a byte that does not fit the encoding is an error; replace: it becomes U+FFFD."""

    def lines(self, name: str) -> Iterator[str | BadRow]:
        """Yield the lines of a file, and in place of one that does not fit the encoding what is wrong."""
        for portion in read_lines(name, self.encoding, self.errors):
            if isinstance(portion, BadRow):
                yield portion
            else:
                yield from portion.lines

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
