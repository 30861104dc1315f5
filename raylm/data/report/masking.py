"""Excerpts without personal data: a filter that comes before personal_data decides on texts as they were."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from raylm.data.personal import MAY_HOLD, Recogniser, find_all, mask

# Half of an address or of a number, where an excerpt was cut off.
_CUT = re.compile(r"(?:[+(]?\d[\d\s()./-]*|\S*@\S*)\Z")
_LONG = 200  # characters; a shorter excerpt is whole


def masker(filters: Iterable[Mapping[str, Any]]) -> Callable[[str], str]:
    """Return what takes personal data out of an excerpt; without a filter for it, excerpts stay as they are.

    Args:
        filters: the filters' sections of the recipe.
    """
    from raylm.data.filters.personal_data import PersonalData

    rules = [
        PersonalData.model_validate(dict(each)) for each in filters if each.get("kind") == "personal_data"
    ]
    recognisers = [recogniser for rule in rules for recogniser in rule.recognisers()]
    if not recognisers:
        return str
    return lambda excerpt: _masked(excerpt, recognisers) if MAY_HOLD.search(excerpt) else excerpt


def _masked(excerpt: str, recognisers: list[Recogniser]) -> str:
    parts, at = [], 0
    for hit in find_all(excerpt, recognisers):
        parts += [excerpt[at : hit.start], mask(hit.kind, excerpt[hit.start : hit.end])]
        at = hit.end
    rest = excerpt[at:]
    return "".join(parts) + (_CUT.sub("…", rest) if len(excerpt) >= _LONG else rest)
