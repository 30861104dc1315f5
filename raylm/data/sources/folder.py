"""A folder tree of documents: one file is one document."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

from pydantic import field_validator

from raylm.config.errors import BadInput
from raylm.data.file_source import TextFileSource
from raylm.data.files import PACKED, files_below
from raylm.data.reading import read_text
from raylm.data.sources import BadRow, Document, Input, Source


class Folder(TextFileSource, Source):
    """Every file below a folder, each a document; hidden files and folders are left out."""

    kind: Literal["folder"] = "folder"
    path: str | tuple[str, ...]
    """A folder, an address such as s3://bucket/corpus, or a list; links to folders are not followed."""
    suffixes: tuple[str, ...] = ()
    """What the names of the files end in, such as [.txt, .md]; .gz and .zst may follow; unset: any file."""

    @field_validator("suffixes")
    @classmethod
    def _with_dot(cls, suffixes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(suffix if suffix.startswith(".") else f".{suffix}" for suffix in suffixes)

    def inputs(self) -> tuple[Input, ...]:
        endings = tuple(suffix + packed for suffix in self.suffixes for packed in ("", *PACKED)) or ("",)
        found: dict[str, Input] = {}
        for folder in self.patterns:
            wanted = [item for item in files_below(folder) if item.name.endswith(endings)]
            if not wanted:
                kind = f"file that ends in {' or '.join(self.suffixes)}" if self.suffixes else "file"
                raise BadInput.one("path", f"{folder} holds no {kind}", code="no-match")
            found.update((item.name, item) for item in wanted)
        return tuple(found.values())

    def read(self, item: Input) -> Iterator[Document | BadRow]:
        try:
            yield Document("".join(read_text(item.name, self.encoding, self.errors)), f"{item.name}:1")
        except BadInput as error:  # of this document alone
            (problem,) = error.problems
            place = problem.location or item.name
            mend = (
                problem.mend
                if self.suffixes
                else f"{problem.mend}; if it is no text, set the source's suffixes"
            )
            yield BadRow(place, problem.field, problem.message, mend, problem.code)

    def label(self) -> str:
        return os.path.basename(self.patterns[0].rstrip("/")) or "folder"  # noqa: PTH119 (addresses too)
