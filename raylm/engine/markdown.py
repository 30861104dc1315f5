"""Markdown that shows a stranger's text and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable

from raylm.data.report.words import shown

# What Markdown or HTML would take for more than text.
_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})

_NAME = re.compile(r"[\w.:-]+", re.ASCII)


def as_text(value: object) -> str:
    """Return a stranger's text as Markdown that shows it and nothing else."""
    return " ".join(shown(value).split()).translate(_MARKS)


def as_code(name: object) -> str:
    """Return a name, such as a class's, in the type of code; whatever else stands in its place, as text."""
    return f"`{name}`" if _NAME.fullmatch(str(name)) else as_text(name)


def as_row(cells: Iterable[str]) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"
