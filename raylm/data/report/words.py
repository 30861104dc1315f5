"""Numbers and strangers' texts as a person reads them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

# Controls, invisible marks and those that turn the reading direction: shown by name, never obeyed.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_FOLDERS = re.compile(r"(?<!\S)(?:/|\w+://)\S*/(?=[^/\s]+/[^/\s]+:\d+(?!\S))")
_UNITS = ("kB", "MB", "GB", "TB", "PB")
_THOUSAND = 1000


def grouped(count: float) -> str:
    """Return a count with its thousands apart."""
    return f"{count:,.0f}"


def num_bytes(count: float) -> str:
    """Return a size in the unit that suits it."""
    if count < _THOUSAND:
        return f"{count:.0f} B"
    power = 1
    while count >= _THOUSAND ** (power + 1) and power < len(_UNITS):
        power += 1
    value = count / _THOUSAND**power
    return f"{value:,.{0 if value >= _THOUSAND / 10 else 1}f} {_UNITS[power - 1]}"


def percent(share: float) -> str:
    """Return a share; a small one is never shown as none."""
    if 0 < share < 0.001:  # noqa: PLR2004
        return "< 0.1 %"
    return f"{100 * share:.1f} %"


def plain(name: str) -> str:
    """Return a key as words: `too_short` as "too short"."""
    return shown(str(name).replace("_", " "))


def shown(text: object) -> str:
    """Return a text with each character that cannot be seen, or would move others, as its number."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", str(text))


def tail(origin: str) -> str:
    """Return `folder/file:line` of a long path, which is what tells documents apart."""
    return shown("/".join(PurePosixPath(origin).parts[-2:]))


def brief(detail: str) -> str:
    """Return a decision's detail with the places in it as `tail` gives them."""
    return shown(_FOLDERS.sub("", detail))
