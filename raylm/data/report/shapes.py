"""Bars of the report's charts: where they stand and how long they are; the template draws them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_HEIGHT, _SMALL_HEIGHT = 180, 84
_STEP, _SMALL_STEP = 52, 22
_COLOURS = 8
_TICK_EVERY = 2  # buckets in a small chart


class Share(NamedTuple):
    """A part of a whole."""

    name: str
    num: int
    share: float
    colour: int
    """Its place in the style sheet's palette; the last one is for all the rest."""


class Bar(NamedTuple):
    """A bucket before and after the filters, in pixels from the top left."""

    x: float
    width: float
    before_y: float
    before_height: float
    after_y: float
    after_height: float
    label: str
    title: str


class Histogram(NamedTuple):
    """Bars side by side, and what the tallest one counts."""

    width: int
    height: int
    bars: list[Bar]
    most: int


def domain(lengths: Mapping[str, int]) -> range:
    """Return the powers of two from the shortest document's bucket to the longest one's."""
    powers = [int(key).bit_length() - 1 for key, count in lengths.items() if count]
    return range(min(powers), max(powers) + 1) if powers else range(0)


def histogram(
    before: Mapping[str, int], after: Mapping[str, int], powers: range, *, is_small: bool = False
) -> Histogram | None:
    """Return a chart of document lengths by `length_bucket`; None without documents.

    Charts over the same powers can be compared by eye.
    """
    most = max([0, *before.values(), *after.values()])
    if not most or not powers:
        return None
    step, height = (_SMALL_STEP, _SMALL_HEIGHT) if is_small else (_STEP, _HEIGHT)
    bars = []
    for place, power in enumerate(powers):
        start = 1 << power
        old, new = before.get(str(start), 0), after.get(str(start), 0)
        old_height, new_height = height * old / most, height * new / most
        bars.append(
            Bar(
                x=place * step + step * 0.1,
                width=step * 0.8,
                before_y=round(height - old_height, 2),
                before_height=round(old_height, 2),
                after_y=round(height - new_height, 2),
                after_height=round(new_height, 2),
                label="" if is_small and place % _TICK_EVERY else _short(start),
                title=f"{start:,} to {2 * start - 1:,} characters: {old:,} read, {new:,} kept",
            )
        )
    return Histogram(step * len(bars), height, bars, most)


def _short(count: int) -> str:
    """Return a power of two in two to four characters: 512, 4k, 2M."""
    for factor, unit in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "k")):
        if count >= factor:
            return f"{count // factor}{unit}"
    return str(count)


def shares(counts: Mapping[str, int], most: int = _COLOURS - 1) -> list[Share]:
    """Return the parts of a whole, largest first; beyond `most` of them the rest are one."""
    whole = sum(counts.values())
    ranked = sorted(((name, count) for name, count in counts.items() if count), key=lambda item: -item[1])
    if len(ranked) > most + 1:
        ranked = [*ranked[:most], (f"{len(ranked) - most} others", sum(count for _, count in ranked[most:]))]
    return [
        Share(name, count, count / whole, min(place, _COLOURS - 1))
        for place, (name, count) in enumerate(ranked)
    ]
