"""Payment card numbers: issuer range, length and check digit (ISO/IEC 7812, annex B: the Luhn formula)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from raylm.data.personal import Hit, Recogniser, digits_of, is_marked, mark

_CANDIDATE = re.compile(r"\d(?<![\w-].)(?<!\d[.,].)(?:[ -]?\d){11,18}(?!\w|[ -]\d|[.,]\d)")
_GROUPS = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 1))
_MARK = mark(
    "cards?|credit|debit|cc|visa|master ?card|maestro|amex|american express|discover|diners(?: club)?|jcb|"
    "unionpay|kreditkarte|karte|carte(?: bancaire)?|tarjeta|carta|cart[aã]o",
    "number|numero|número|nummer|no|nr|num|is|was|my|the|ending|card",
)
# Visa, Mastercard, American Express, Diners Club, Discover, JCB, UnionPay, Maestro, Mir.
_ISSUERS = re.compile(
    r"4(?:\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|"
    r"3(?:0[0-5]|[689]\d)\d{11}|(?:6011|64[4-9]\d|65\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|"
    r"(?:2131|1800)\d{11}|"
    r"(?:62|81)\d{14,17}|(?:50|5[6-8]|6304|6390|67)\d{11,17}|220[0-4]\d{12}"
)


def recogniser() -> Recogniser:
    """Return the recogniser.

    After a word such as "card" any number of 12 to 19 digits with a right check digit counts; without one it
    must be in an issuer's range too, and in the groups that are printed on cards.
    """
    return _find


def _find(text: str) -> Iterator[Hit]:
    for match in _CANDIDATE.finditer(text):
        digits = digits_of(match[0])
        if not passes_luhn(digits) or len(set(digits)) == 1:
            continue
        if is_marked(text, match.start(), _MARK):
            yield Hit(*match.span(), "card", "marked")
        elif _ISSUERS.fullmatch(digits) and _is_grouped_like_a_card(match[0]):
            yield Hit(*match.span(), "card", "unmarked")


def passes_luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of the others."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _is_grouped_like_a_card(written: str) -> bool:
    groups = tuple(len(group) for group in re.split("[ -]", written))
    return len(groups) == 1 or groups in _GROUPS
