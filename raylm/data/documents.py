"""Documents, what they are read from, and rows that hold none."""

from __future__ import annotations

from typing import NamedTuple


class Document(NamedTuple):
    """One text and where it stands: `file:line` (or `file:row`), counted from 1."""

    text: str
    origin: str
    record: str = ""
    """Of a task's row, all that the task knows of it, as JSON; `text` is then what a person reads of it."""
    drawn_by: str = ""
    """Of a task's row, a digest of what rows of other splits may not have as well; empty: its text."""


class BadRow(NamedTuple):
    """A row that holds no document, and why; the source's `on_bad_row` says what becomes of it."""

    origin: str
    field: str
    """The source's field that is to blame, such as "path" or "text_field"."""
    message: str
    mend: str = ""
    code: str = "bad-row"


class Input(NamedTuple):
    """A file, or what else a source reads as a whole."""

    name: str
    """A path, a URL, or a name such as `squad:train`."""
    num_bytes: int
    """As stored; 0 where that is not known."""


def is_blank(text: str) -> bool:
    """Whether a text holds nothing but white space and NUL characters."""
    return text.isspace() or not text.replace("\0", "").strip()
