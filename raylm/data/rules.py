"""Rules of quality: a text is measured against limits, and the first limit that it breaks is the reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Rule(NamedTuple):
    """One rule and whether a text breaks it."""

    is_broken: bool
    reason: str
    detail: str
    excerpt: str = ""


def at_most(reason: str, what: str, value: float, excerpt: str = "", **limit: float) -> Rule:
    """Return the rule that a value may not lie above a limit, given as `field=limit`."""
    ((field, most),) = limit.items()
    return Rule(value > most, reason, f"{_shown(value)} {what}, {field} is {_shown(most)}", excerpt)


def at_least(reason: str, what: str, value: float, **limit: float) -> Rule:
    """Return the rule that a value may not lie below a limit, given as `field=limit`."""
    ((field, least),) = limit.items()
    return Rule(value < least, reason, f"{_shown(value)} {what}, {field} is {_shown(least)}")


def first_broken(rules: Iterable[Rule]) -> Rule | None:
    """Return the first rule that is broken, None if all are kept; the rules after it are not asked."""
    return next((rule for rule in rules if rule.is_broken), None)


def share(part: float, whole: float) -> float:
    """Return part / whole, and 0 of nothing."""
    return part / whole if whole else 0.0


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3g}"
