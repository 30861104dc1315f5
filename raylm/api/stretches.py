"""Stretches of rows, each told by a few values: making them from rows, joining and merging them."""

import math
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Point = list[Any]


class Stretches(NamedTuple):
    """One metric over m stretches: arrays (m,), NaN where a stretch has no value.

    Beside each value stands its position (m, 3): step, tokens and seconds.
    """

    low: Array
    low_at: Array
    high: Array
    high_at: Array
    end: Array
    end_at: Array
    total: Array
    num_values: Array
    gap_at: Array
    """Position of the first gap, NaN where there is none."""


def of_rows(at: Array, values: Array) -> Stretches:
    """Return rows as stretches of one: positions (n, 3), values (n,), NaN for none, infinite for a gap."""
    is_finite = np.isfinite(values)
    finite = np.where(is_finite, values, math.nan)
    total = np.where(is_finite, values, 0.0)
    gap_at = np.where(np.isinf(values)[:, None], at, math.nan)
    return Stretches(finite, at, finite, at, finite, at, total, is_finite.astype(np.float64), gap_at)


def nothing(num: int) -> Stretches:
    """Return so many stretches without a value."""
    return of_rows(np.zeros((num, 3)), np.full(num, math.nan))


def joined(one: Stretches, other: Stretches) -> Stretches:
    """Return both, one behind the other."""
    return Stretches(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))


def merged(parts: Stretches, by: int) -> Stretches:
    """Return stretches that are made of `by` of those given each, the last one perhaps of fewer."""
    if by == 1 or len(parts.low) == 0:
        return parts
    parts = joined(parts, nothing(-len(parts.low) % by))
    num = len(parts.low) // by
    rows = np.arange(num)

    def pick(values: Array, at: Array, which: Any) -> tuple[Array, Array]:
        return values.reshape(num, by)[rows, which], at.reshape(num, by, 3)[rows, which]

    low = np.where(np.isnan(parts.low), math.inf, parts.low).reshape(num, by).argmin(1)
    high = np.where(np.isnan(parts.high), -math.inf, parts.high).reshape(num, by).argmax(1)
    last = by - 1 - np.isfinite(parts.end).reshape(num, by)[:, ::-1].argmax(1)
    gap = np.isfinite(parts.gap_at[:, 0]).reshape(num, by).argmax(1)
    return Stretches(
        *pick(parts.low, parts.low_at, low),
        *pick(parts.high, parts.high_at, high),
        *pick(parts.end, parts.end_at, last),
        parts.total.reshape(num, by).sum(1),
        parts.num_values.reshape(num, by).sum(1),
        parts.gap_at.reshape(num, by, 3)[rows, gap],
    )


def points(parts: Stretches) -> list[Point]:
    """Return [step, tokens, seconds, value, mean] in order: lowest and highest of each, the last of the last.

    The mean is left out where it is of one value; a gap's value is None.
    """
    has_value = parts.num_values > 0
    mean = parts.total / np.maximum(1.0, parts.num_values)
    is_end = np.zeros(len(has_value), dtype=bool)
    is_end[np.flatnonzero(has_value)[-1:]] = True
    chosen = [
        (parts.low_at, parts.low, has_value),
        (parts.high_at, parts.high, has_value),
        (parts.end_at, parts.end, is_end),
        (parts.gap_at, np.full(len(has_value), math.nan), np.isfinite(parts.gap_at[:, 0])),
    ]
    at = np.concatenate([where[mask] for where, _, mask in chosen])
    rest = [(values[mask], mean[mask], parts.num_values[mask] > 1) for _, values, mask in chosen]
    values, means, is_many = (np.concatenate(each) for each in zip(*rest, strict=True))
    _, first = np.unique(at[:, 0], return_index=True)  # a stretch of one value has it three times
    rows = zip(at[first].tolist(), values[first].tolist(), means[first].tolist(), is_many[first], strict=True)
    return [_point(*row) for row in rows]


def _point(at: list[float], value: float, mean: float, is_many: bool) -> Point:  # noqa: FBT001
    step, tokens, seconds = at
    where = [int(step) if step % 1 == 0 else step, round(tokens), round(seconds, 3)]
    if math.isnan(value):
        return [*where, None]
    return [*where, _short(value), _short(mean)] if is_many else [*where, _short(value)]


def _short(value: float) -> float:
    """Cut a measured number to six digits, more than a screen shows."""
    return float(f"{value:.6g}")
