"""E-mail addresses: name@host.domain, as people write them (a plain subset of RFC 5321)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from raylm.data.personal import Hit, Recogniser

_NAME = re.compile(r"(?<![\w.+%-])\w(?:[\w.+%'-]{0,62}[\w+-])?\Z")
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}([^\W\d_]{2,24})(?![\w-])")
_LONGEST_NAME, _LONGEST_HOST = 64, 255
_FILES = frozenset(
    {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "mjs", "html", "pdf", "py", "so"}
)
"""Endings of names such as `icon@2x.png`."""


def recogniser() -> Recogniser:
    """Return the recogniser."""
    return _find


def _find(text: str) -> Iterator[Hit]:
    at = text.find("@")
    while at >= 0:
        name = _NAME.search(text[max(0, at - _LONGEST_NAME) : at])
        host = _HOST.match(text, at + 1, at + 1 + _LONGEST_HOST)
        if name and host and host[1].lower() not in _FILES:
            yield Hit(at - len(name[0]), host.end(), "email")
        at = text.find("@", at + 1)
