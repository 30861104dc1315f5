"""Personal data in text: what a recogniser is, and how its finds are put together.

A recogniser's pattern begins with the class of its first character and looks behind that afterwards: the
search then passes over other text several times as fast as with the look-behind first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

MAY_HOLD = re.compile(r"@|\d\D{0,3}\d\D{0,3}\d|::")
"""What a text has that holds personal data of any kind: the cheap look that spares most texts the others."""
_REACH = 64
"""Characters before a number in which a word such as "phone" counts as its mark."""


class Hit(NamedTuple):
    """A piece of personal data: text[start:end]."""

    start: int
    end: int
    kind: str
    form: str = ""
    """How it is written or was recognised, such as "international" or "marked"."""


Recogniser: TypeAlias = Callable[[str], Iterator[Hit]]


def find_all(text: str, recognisers: Sequence[Recogniser]) -> list[Hit]:
    """Return what the recognisers find, in the order of the text.

    Where two finds overlap, that of the earlier recogniser counts.
    """
    taken: list[Hit] = []
    for recognise in recognisers:
        taken = sorted([*taken, *_apart(list(recognise(text)), taken)])
    return taken


def _apart(found: Sequence[Hit], taken: Sequence[Hit]) -> Iterator[Hit]:
    """Yield what overlaps none of the taken; both are in the order of the text."""
    at = 0
    for hit in found:
        while at < len(taken) and taken[at].end <= hit.start:
            at += 1
        if at == len(taken) or hit.end <= taken[at].start:
            yield hit


def mask(kind: str, value: str) -> str:
    """Return a value as a report may show it: `j***@e***.com`, `+4***`."""
    if kind == "email":
        name, _, domain = value.partition("@")
        return f"{name[:1]}***@{domain[:1]}***.{domain.rpartition('.')[2]}"
    return f"{value[:2]}***"


def mark(words: str, fillers: str = "number|no|nr|num|is|was") -> re.Pattern[str]:
    """Return a pattern for `is_marked`: one of the words, then fillers and punctuation up to the number.

    The number stands on the same line, or on the next one after a colon. Letter case makes no difference.
    """
    gap = r"[^\w\n]{0,6}"
    until_number = rf"(?:(?:{fillers})(?!\w){gap}){{0,4}}(?::[ \t]*\n)?[^\w\n]{{0,4}}\Z"
    return re.compile(rf"(?<!\w)(?:{words})(?!\w){gap}{until_number}", re.IGNORECASE)


def is_marked(text: str, start: int, pattern: re.Pattern[str]) -> bool:
    """Return whether what stands before `start` says what follows; `pattern` comes from `mark`."""
    return pattern.search(text[max(0, start - _REACH) : start]) is not None


def digits_of(written: str) -> str:
    """Return the digits alone, in ASCII."""
    return "".join(character for character in written if character in "0123456789")
