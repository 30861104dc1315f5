"""Telephone numbers, by the numbering plans that the `phonenumbers` library knows.

Three forms: international (+46 8 928 571 38, 001-518-640-0854); marked (7 to 15 digits beside a word such as
phone or fax, in any grouping); national (as the given countries write their own, (541) 714-1388).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from raylm.data.personal import Hit, Recogniser, digits_of, is_marked, mark

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_CANDIDATE = re.compile(
    r"[+(\d](?<![\w/$€£+*=-].)(?<!\d[.,].)(?:(?<=\d)|[+(]?\d)(?:[ \u00a0.()/-]{0,2}\d){6,24}+"
    r"(?:[ ,]{0,2}(?P<extension>x|ext\.?|extension)[ ]?\d{1,6})?(?![\w%])"
)
_MONTH, _DAY, _YEAR = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])", r"(?:1\d|20)\d\d"
_DATE = re.compile(
    rf"{_YEAR}([-/. ]){_MONTH}\1{_DAY}(?:\s|\Z)|"
    rf"(?:{_DAY}[-/.]{_MONTH}|{_MONTH}[-/.]{_DAY})[-/.](?:{_YEAR}|\d\d)(?:\s|\Z)|"
    rf"{_YEAR} ?[-/] ?{_YEAR}\Z"
)
_BEFORE = mark(
    r"phones?|telephones?|tel|t[ée]l|telefon\w*|tel[ée]fono|t[ée]l[ée]phone|mobile?|mobil|m[óo]vil|cell|"
    r"cellphone|cellular|handy|portable|fax|telefax|whatsapp|sms|hotline|landline|call|dial|"
    r"messages? to|texts? to|answering|call(?:ing|ed|s)? (?:\w+ )?(?:at|on)|reach(?:ed)? (?:\w+ )?(?:at|on)|"
    r"(?:ring|text) (?:me|us)|contact (?:number|me|us)|(?:office|desk|work|home|direct|contact)(?=\s?:)",
    r"number|numbers|no|nr|num|line|is|was|me|us|him|her|them|at|on|to|under|or|and",
)
_AFTER = re.compile(
    r"[ \t]?[-\u2013(]?[ ]?(?:office|fax|mobile|cell|phone|tel|home|work|desk|direct)"
    r"(?=[ \t]*(?:[\n\r,;)/|\\]|\Z))",
    re.IGNORECASE,
)
_EXIT = re.compile(r"(?:00|011)[ .-]?(?=[1-9])")
_GROUP = re.compile(r"\d+")
_MOST_GROUPS = 7  # +33 1 84 17 61 18 has six; rows of a table have more
_FEWEST, _MOST = 7, 15
"""Digits: a local number's, and the most that ITU-T E.164 (section 6.1) allows."""


def recogniser(regions: Sequence[str]) -> Recogniser:
    """Return the recogniser; national forms count as they are written in the regions (ISO 3166 codes)."""

    def find(text: str) -> Iterator[Hit]:
        for match in _CANDIDATE.finditer(text):
            for end in _ends(match):
                form = _form(text, match.start(), end, regions)
                if form:
                    yield Hit(match.start(), end, "phone", form)
                    break

    return find


def _ends(match: re.Match[str]) -> Iterator[int]:
    """Yield where the number may end, the farthest first: another number may follow after a space."""
    yield match.end()
    last = match.start("extension") if match["extension"] else match.end()
    spaces = [at for at in range(match.start() + _FEWEST, last) if match.string[at] == " "]
    yield from reversed(spaces)


def _form(text: str, start: int, end: int, regions: Sequence[str]) -> str:
    """Return the form of the number text[start:end], "" when it is none."""
    written = text[start:end]
    plain = re.split(r"[ ,]*[xe]", written)[0]
    is_long_enough = _FEWEST <= len(digits_of(plain)) <= _MOST
    if not is_long_enough or len(_GROUP.findall(plain)) > _MOST_GROUPS or _DATE.match(written):
        return ""
    if _is_international(plain):
        return "international"
    if is_marked(text, start, _BEFORE) or _AFTER.match(text, end):
        return "marked"
    return "national" if any(_is_national(plain, region) for region in regions) else ""


def _is_international(written: str) -> bool:
    from phonenumbers import is_possible_number, is_valid_number

    if "+" in written:
        number = _parse(written, None)
        return number is not None and is_possible_number(number)
    exit_code = _EXIT.match(written)
    number = _parse("+" + written[exit_code.end() :], None) if exit_code else None
    return number is not None and is_valid_number(number)


def _is_national(written: str, region: str) -> bool:
    """Return whether it is a valid number of the region, in the groups that are usual there."""
    from phonenumbers import PhoneNumberFormat, format_number, is_valid_number_for_region

    groups = _GROUP.findall(written)
    number = _parse(written, region) if len(groups) > 1 else None
    if number is None or not is_valid_number_for_region(number, region):
        return False
    return _GROUP.findall(format_number(number, PhoneNumberFormat.NATIONAL)) == groups


def _parse(written: str, region: str | None) -> PhoneNumber | None:
    from phonenumbers import NumberParseException, parse

    try:
        return parse(written, region)
    except NumberParseException:
        return None
