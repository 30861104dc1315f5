"""In which order the rows of several sources are drawn: by weight, with a limit on passes over each source.

The samples fall into periods. A period holds a whole number of samples of each source, shuffled, so that any
stretch of the run has the mixture that was asked for; which sample stands where is computed from its global
index alone. A source that has reached its limit drops out, and the others take its share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.data.sampler import MASK_64, Sampler, mix, permute

PERIOD = 1 << 16  # samples: a weight is kept to this fraction
_CHUNK = 1 << 20  # rows looked at together


class Share(NamedTuple):
    """What the recipe says of how often a source is drawn."""

    weight: float | None = None
    """Relative to the other sources'; None for all: each row once an epoch."""
    max_epochs: float | None = None


class Drawn(NamedTuple):
    """What was drawn of one source."""

    num_samples: int
    num_epochs: int
    """Whole passes over the source's rows."""
    rows: NDArray[np.int64]
    """Row numbers drawn once more, ascending."""


class EachRowOnce:
    """All rows of all sources once an epoch, in a new order each time."""

    num_samples = None

    def __init__(self, source_rows: Sequence[int], seed: int) -> None:
        self.num_rows = sum(source_rows)
        self._first_rows = np.cumsum([0, *source_rows])
        self._sampler = Sampler(self.num_rows, seed)

    def rows(self, first: int, count: int) -> NDArray[np.int64]:
        """Return the row numbers of the global sample indices first .. first + count - 1, shape (count,)."""
        return self._sampler.rows(first, count)

    def drawn(self, source: int, cursor: int) -> Drawn:
        """Return what the first `cursor` samples hold of a source."""
        low, high = self._first_rows[source : source + 2].tolist()
        epoch = self._sampler.epoch(cursor)
        found = [np.empty(0, dtype=np.int64)]
        for first in range(epoch * self.num_rows, cursor, _CHUNK):
            rows = self.rows(first, min(_CHUNK, cursor - first))
            found.append(rows[(rows >= low) & (rows < high)])
        rows = np.sort(np.concatenate(found))
        return Drawn(epoch * (high - low) + len(rows), epoch, rows)


class Phase(NamedTuple):
    """A stretch of samples over which the same sources are drawn, in equal periods."""

    start: int
    """The first sample."""
    num_periods: int | None
    """None: for ever."""
    quotas: tuple[int, ...]
    """Samples of each source in a period."""
    drawn: tuple[int, ...]
    """Samples of each source before the phase."""

    @property
    def period(self) -> int:
        """Samples in a period."""
        return sum(self.quotas)


class Mixture:
    """Rows of several sources by weight."""

    def __init__(self, source_rows: Sequence[int], shares: Sequence[Share], seed: int) -> None:
        self.num_rows = sum(source_rows)
        self._first_rows = np.cumsum([0, *source_rows])
        self._samplers = [Sampler(max(1, rows), seed + number) for number, rows in enumerate(source_rows)]
        self._seed = seed
        self._phases = list(_phases(_weights(source_rows, shares), _limits(source_rows, shares)))
        self._starts = [phase.start for phase in self._phases]
        self._kept: tuple[tuple[int, int], _Period] | None = None

    @property
    def num_samples(self) -> int | None:
        """Samples until every source has reached its limit; None where one has none."""
        last = self._phases[-1]
        return None if last.num_periods is None else last.start + last.num_periods * last.period

    def rows(self, first: int, count: int) -> NDArray[np.int64]:
        """Return the row numbers of the global sample indices first .. first + count - 1, shape (count,).

        The limits on passes must leave that many samples.
        """
        parts = [np.empty(0, dtype=np.int64)]
        end = first + count
        while first < end:
            place = self._place(first)
            sources, numbers = self._period(place).part(place.position, end - first)
            parts.append(self._rows_of(sources, numbers + self._drawn_before(place)[sources]))
            first += len(sources)
        return np.concatenate(parts)

    def drawn(self, source: int, cursor: int) -> Drawn:
        """Return what the first `cursor` samples hold of a source."""
        count = int(self._count(cursor)[source])
        low, high = self._first_rows[source : source + 2].tolist()
        epochs, rest = divmod(count, max(1, high - low))
        rows = low + self._samplers[source].rows(epochs * (high - low), rest)
        return Drawn(count, epochs, np.sort(rows))

    def _count(self, cursor: int) -> NDArray[np.int64]:
        """Return how often each source is drawn in the first `cursor` samples."""
        if not cursor:
            return np.zeros(len(self._samplers), dtype=np.int64)
        place = self._place(cursor - 1)
        sources, _ = self._period(place).part(0, place.position + 1)
        return self._drawn_before(place) + np.bincount(sources, minlength=len(self._samplers))

    def _place(self, index: int) -> _Place:
        number = int(np.searchsorted(self._starts, index, side="right")) - 1
        phase = self._phases[number]
        period, position = divmod(index - phase.start, phase.period)
        assert phase.num_periods is None or period < phase.num_periods, "reading past the last sample"
        return _Place(number, period, position)

    def _drawn_before(self, place: _Place) -> NDArray[np.int64]:
        """Return how often each source is drawn before a period."""
        phase = self._phases[place.phase]
        return np.array(phase.drawn) + place.period * np.array(phase.quotas)

    def _period(self, place: _Place) -> _Period:
        key = (place.phase, place.period)
        if self._kept is None or self._kept[0] != key:
            phase = self._phases[place.phase]
            start = phase.start + place.period * phase.period
            seed = mix(np.full(1, self._seed & MASK_64, dtype=np.uint64))
            self._kept = (key, _Period(phase.quotas, mix(seed ^ np.uint64(start))))
        return self._kept[1]

    def _rows_of(self, sources: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of samples, given the source of each and how many of it came before."""
        rows = np.empty(len(sources), dtype=np.int64)
        for source in np.unique(sources).tolist():
            mine = sources == source
            rows[mine] = self._first_rows[source] + self._samplers[source].rows_at(numbers[mine])
        return rows


Order = EachRowOnce | Mixture


def order_of(source_rows: Sequence[int], shares: Sequence[Share], seed: int) -> Order:
    """Return the order in which the rows of a split are drawn.

    Args:
        source_rows: rows of each source.
        shares: of each source, as `shares_of` gives them.
        seed: picks the order.
    """
    if any(share != Share() for share in shares):
        return Mixture(source_rows, shares, seed)
    return EachRowOnce(source_rows, seed)


class _Place(NamedTuple):
    """Where a sample stands."""

    phase: int
    period: int
    position: int


class _Period:
    """One period, laid out: which source stands at each position, and its how many'th sample there."""

    def __init__(self, quotas: Sequence[int], key: NDArray[np.uint64]) -> None:
        ends = np.cumsum(quotas)
        slots = permute(np.arange(ends[-1]), int(ends[-1]), key)
        self._sources = np.searchsorted(ends, slots, side="right")
        order = np.argsort(self._sources.astype(np.min_scalar_type(len(ends))), kind="stable")
        self._numbers = np.empty(len(slots), dtype=np.int64)
        self._numbers[order] = np.arange(len(slots)) - np.repeat(ends - quotas, quotas)

    def part(self, first: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the source and the number of each of at most `count` samples from `first` on."""
        return self._sources[first : first + count], self._numbers[first : first + count]


def _weights(source_rows: Sequence[int], shares: Sequence[Share]) -> list[float]:
    """Return the weight of each source; without any given, as many samples as it has rows."""
    return [
        0.0 if not rows else float(rows) if share.weight is None else share.weight
        for rows, share in zip(source_rows, shares, strict=True)
    ]


def _limits(source_rows: Sequence[int], shares: Sequence[Share]) -> list[int | None]:
    """Return the most samples of each source, at least one."""
    return [
        None if share.max_epochs is None else max(1, int(share.max_epochs * rows))
        for rows, share in zip(source_rows, shares, strict=True)
    ]


def _phases(weights: list[float], limits: list[int | None]) -> Iterator[Phase]:
    """Yield the phases: whole periods while no source runs out, then a shorter one that ends with it."""
    start, drawn = 0, [0] * len(weights)
    while any(weights):
        quotas = _quotas(weights)
        left = {
            source: limit - drawn[source]
            for source, limit in enumerate(limits)
            if limit is not None and weights[source]
        }
        if not left:
            yield Phase(start, None, tuple(quotas), tuple(drawn))
            return
        next_out = min(left, key=lambda source: left[source] / quotas[source])
        num_periods = left[next_out] // quotas[next_out]
        if not num_periods:
            quotas, num_periods = _last_quotas(quotas, left, next_out), 1
        yield Phase(start, num_periods, tuple(quotas), tuple(drawn))
        start += num_periods * sum(quotas)
        drawn = [before + num_periods * quota for before, quota in zip(drawn, quotas, strict=True)]
        for source, limit in enumerate(limits):
            if drawn[source] == limit:
                weights[source] = 0.0


def _quotas(weights: Sequence[float]) -> list[int]:
    """Return whole samples of a period by weight (largest remainders), at least one of each source drawn."""
    exact = np.array(weights) / sum(weights) * PERIOD
    quotas = np.floor(exact).astype(np.int64)
    for source in np.argsort(quotas - exact, kind="stable")[: PERIOD - quotas.sum()]:
        quotas[source] += 1
    return np.where(np.array(weights) > 0, np.maximum(1, quotas), 0).tolist()


def _last_quotas(quotas: Sequence[int], left: dict[int, int], next_out: int) -> list[int]:
    """Return a shorter period in the same proportions that holds all that is left of one source."""
    scale = left[next_out] / quotas[next_out]
    scaled = [min(round(quota * scale), left.get(source, PERIOD)) for source, quota in enumerate(quotas)]
    scaled[next_out] = left[next_out]
    return scaled
