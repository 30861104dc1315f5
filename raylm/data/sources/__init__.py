"""What a data source is; every other file here is one source."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from raylm.config.choice import Choice
from raylm.config.sections import knob


class Document(NamedTuple):
    """One text and where it stands: `file:line`, the line counted from 1."""

    text: str
    origin: str


class Source(Choice):
    """Where documents come from."""

    licence: str = knob("unknown", group="Provenance")
    """Licence of the texts, such as "CC-BY-4.0"; kept in the dataset's ledger."""
    origin: str = knob("", group="Provenance")
    """Where the texts were taken from, such as a URL; kept in the dataset's ledger."""

    @abstractmethod
    def files(self) -> tuple[Path, ...]:
        """Return the files that hold the documents, in the order in which they are read.

        Raises:
            BadInput: one is missing or is not a regular file.
        """

    @abstractmethod
    def documents(self) -> Iterator[Document]:
        """Yield every document, blank ones too.

        Raises:
            BadInput: a file cannot be read as text; names the file, the byte and the line.
        """

    def settings(self) -> dict[str, Any]:
        """Return what decides the documents besides the files' content; where they lie does not."""
        return self.model_dump(mode="json", exclude={"path"})
