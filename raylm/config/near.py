"""`Did you mean ...?` for every name a person may mistype."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], count: int = 1) -> list[str]:
    """Return up to `count` known names that look like `name`, best first."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.lower(), list(by_lower), n=count, cutoff=0.55)
    return [by_lower[match] for match in matches]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `did you mean X?`, or an empty text when nothing is near."""
    close = nearest(name, known)
    return f"did you mean {close[0]}?" if close else ""
