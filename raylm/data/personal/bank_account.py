"""International bank account numbers (IBAN, ISO 13616): a country's length and structure, check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from raylm.data.personal import Hit, Recogniser

_CHECK_DIGITS = re.compile(r"\d(?<=[A-Za-z]{2}.)(?<![^\W_]...)\d(?=[ -]?[A-Za-z0-9]{4})")
_LENGTH = re.compile(r"(\d+)!")


def recogniser() -> Recogniser:
    """Return the recogniser; python-stdnum knows each country's form."""
    from stdnum import iban, numdb

    countries = numdb.get("iban")

    def find(text: str) -> Iterator[Hit]:
        for match in _CHECK_DIGITS.finditer(text):
            start = match.start() - 2
            structure = countries.info(text[start : start + 2].upper())[0][1].get("bban", "")
            end = _end(text, start, 4 + sum(map(int, _LENGTH.findall(structure))))
            if structure and end and iban.is_valid(text[start:end], check_country=False):
                yield Hit(start, end, "iban")

    return find


def _end(text: str, start: int, length: int) -> int | None:
    """Return where `length` letters and digits end that stand together or in groups; None: they do not."""
    at, count = start, 0
    while count < length and at < len(text):
        character = text[at]
        if character.isascii() and character.isalnum():
            count += 1
        elif character not in " -" or text[at - 1] in " -":
            return None
        at += 1
    is_whole = count == length and not text[at : at + 1].isalnum()
    return at if is_whole else None
