"""From what is added up over rows to a report: intervals, breakdowns, the worst rows, differences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Metrics: TypeAlias = Callable[[NDArray[np.float64]], dict[str, float]]
    """From the sum over some rows, (K,), to metrics by name; the first is the task's own."""

_BLOCK = 1 << 22  # weights that are held at once: 32 MB
_MIDDLE = (2.5, 97.5)  # percentiles between which 95 % of the resamples lie
_QUARTILES = (25, 50, 75)


class Figures(NamedTuple):
    """Answers beside what is right, as `raylm.tasks.Judged` holds them."""

    stats: NDArray[np.float64]
    """(N, K): of each row, what is added up."""
    metrics: Metrics
    quality: NDArray[np.float64]
    """(N,): how good each answer is."""


def intervals(
    stats: NDArray[np.float64], metrics: Metrics, num_resamples: int = 1000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Return the 95 % interval of each metric: percentile bootstrap over rows.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13. The same rows give the
    same intervals.

    Args:
        stats: (N, K), what is added up of each row; no rows give no intervals.
        metrics: from a sum over rows to metrics by name.
        num_resamples: how often as many rows are drawn, with replacement.
        seed: where the random numbers start.
    """
    if not len(stats):
        return {}
    found = [metrics(each) for each in _resampled(stats, num_resamples, seed)]
    return {name: _middle([each[name] for each in found]) for name in found[0]}


def paired_difference(
    stats_a: NDArray[np.float64],
    stats_b: NDArray[np.float64],
    metrics: Metrics,
    name: str,
    num_resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return by how much one answerer is above another in a metric, and the 95 % interval of that.

    Both answered the same rows, in the same order: each resample takes the same rows of both, so that what is
    hard for both does not count as chance. Source: Koehn 2004, Statistical Significance Tests for Machine
    Translation Evaluation.

    Returns:
        The metric of a minus that of b, and the low and the high end of its interval.
    """
    import numpy as np

    assert stats_a.shape == stats_b.shape, "the same rows and statistics"
    num_stats = stats_a.shape[1]

    def difference(sums: NDArray[np.float64]) -> float:
        return metrics(sums[:num_stats])[name] - metrics(sums[num_stats:])[name]

    both = np.concatenate([stats_a, stats_b], axis=1)
    drawn = [difference(each) for each in _resampled(both, num_resamples, seed)]
    return (difference(both.sum(axis=0)), *_middle(drawn))


def _resampled(stats: NDArray[np.float64], num_resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield the sum over each resample of the rows.

    How often each row is drawn is multinomial; alike rows are drawn as one, which gives the same sums.
    """
    import numpy as np

    rows, counts = _distinct(stats)
    rng = np.random.default_rng(seed)
    size = max(1, _BLOCK // len(rows))
    for start in range(0, num_resamples, size):
        block = min(size, num_resamples - start)
        weights = rng.multinomial(len(stats), counts / len(stats), size=block)
        yield from weights.astype(np.float64) @ rows


def _distinct(stats: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the rows that differ, and how often each stands there."""
    import numpy as np

    numbers: dict[bytes, int] = {}
    which = [numbers.setdefault(row.tobytes(), len(numbers)) for row in stats]
    counts = np.bincount(which)
    first = np.unique(which, return_index=True)[1]
    return np.ascontiguousarray(stats[first], dtype=np.float64), counts


def _middle(values: Sequence[float]) -> tuple[float, float]:
    import numpy as np

    low, high = np.percentile(values, _MIDDLE)
    return float(low), float(high)


def breakdown(
    stats: NDArray[np.float64], metrics: Metrics, groups: Sequence[str | None]
) -> dict[str, dict[str, Any]]:
    """Return the metrics of each group of rows, with its `num_rows`; rows of no group are left out.

    Groups that begin with a number stand in the order of the numbers, before the others.
    """
    rows: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        if group is not None:
            rows.setdefault(group, []).append(number)
    return {
        group: {**metrics(stats[rows[group]].sum(axis=0)), "num_rows": len(rows[group])}
        for group in sorted(rows, key=_by_number)
    }


def _by_number(name: str) -> tuple[bool, int, str]:
    number = re.match(r"[0-9]{1,18}", name)
    return number is None, int(number[0]) if number else 0, name


def length_groups(lengths: Sequence[int]) -> list[str]:
    """Return which quarter of the rows, by length, each row belongs to, such as "1-12 tokens".

    Where many lengths are alike there are fewer groups than four: alike ones are in the same group.
    """
    import numpy as np

    if not len(lengths):
        return []
    values = np.asarray(lengths)
    limits = np.unique(np.percentile(values, _QUARTILES, method="lower"))
    which = np.searchsorted(limits, values)  # up to and with a limit
    names = {int(part): _range(values[which == part]) for part in np.unique(which)}
    return [names[int(part)] for part in which]


def _range(values: NDArray[np.integer]) -> str:
    low, high = int(values.min()), int(values.max())
    return f"{low if low == high else f'{low}-{high}'} {'token' if high == 1 else 'tokens'}"


def worst(quality: NDArray[np.float64], count: int = 10) -> list[int]:
    """Return the rows of the lowest quality, the lowest first; those alike in the order of the rows."""
    import numpy as np

    return [int(row) for row in np.argsort(quality, kind="stable")[:count]]
