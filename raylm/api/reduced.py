"""A curve of any length in bounded memory: the lowest and the highest value of each stretch, and its gaps.

The trade: a curve is kept at one resolution, about a thousand stretches of equally many rows, which merge in
pairs as the run grows; within a stretch only the lowest, the highest and the last value, the mean and one gap
are known. That is what a screen can show (Jugel et al. 2014, "M4"), takes a few megabytes instead of the
gigabyte that ten million rows of numbers are, and answers in milliseconds. What it costs: a look into a
stretch needs the run's own files again, and so does a restart that goes back further than `TAIL` rows, which
are the rows that are still kept one by one.
"""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from raylm.api.stretches import Array, Point, Stretches, joined, merged, nothing, of_rows, points

TAIL = 8192  # newest rows that are kept as they are, because a restart may replace them
MOST_STRETCHES = 2048
MOST_KEYS = 64
AXES = ("step", "tokens_seen", "seconds")
_HOLE = 1.5  # times the distance of the rows before it: here rows are missing

Records = list[dict[str, Any]]


class Rewound(Exception):  # noqa: N818 - nothing is wrong
    """A restart replaces rows that are not kept one by one: the curve must be read again from its start."""

    def __init__(self, ahead: dict[int, int]) -> None:
        self.ahead = ahead
        """What the next reading must know: leg -> the step from which that leg replaces earlier ones."""


class Place(NamedTuple):
    """What the next row is measured against; JSON values."""

    origin: tuple[str, int] = ("", -1)
    """Run and attempt that wrote the row before."""
    step: int = 0
    tokens_seen: float = 0
    time: float = 0
    seconds: float = 0
    jump: float = 0
    """Steps between the last two rows; 0 where that is not known."""


class Reduced:
    """Rows go in by `take`, in the order of the files; `reduced_to` gives the curve.

    Args:
        place: Where to go on, so that a few rows can be reduced without those before them.
        ahead: From a `Rewound`.
    """

    def __init__(self, place: Place | None = None, ahead: dict[int, int] | None = None) -> None:
        self.place = place or Place()
        self.ahead = dict(ahead or {})
        self.leg = 0
        self.num_folded = 0
        self.size = 1
        """Rows of one stretch."""
        self.stretches: dict[str, Stretches] = {}
        self.at: Array = np.empty((0, 3))
        """Positions of the rows kept as they are, one column an axis."""
        self.values: dict[str, Array] = {}
        """Their values: NaN where a row has none, infinite where it was no finite number: a gap."""

    @property
    def num_rows(self) -> int:
        """Rows taken, those that were replaced left out."""
        return self.num_folded + len(self.at)

    def take(self, records: Records) -> None:
        """Add records; a restart that begins at step s replaces what is there from s on.

        Raises:
            Rewound: it begins too far back.
        """
        for leg in _legs(records, self.place):
            if _origin(leg[0]) != self.place.origin or leg[0]["step"] < self.place.step:
                self._begin(leg[0])
            if self.ahead:
                bound = min(self.ahead.values())
                leg = [record for record in leg if record["step"] < bound]  # noqa: PLW2901
            if leg:
                self._append(leg)
        if len(self.at) > 2 * TAIL:
            self._fold()

    def reduced_to(self, most: int, keys: Iterable[str] | None = None) -> dict[str, list[Point]]:
        """Return each metric as at most `most` stretches: points [step, tokens, seconds, value, mean].

        A stretch gives its lowest and its highest value, the newest its last one too; all of its points have
        its mean, which is left out where the stretch is a single value. None for a value is a gap. Up to
        `most` rows nothing is reduced.
        """
        wanted = self._keys() if keys is None else [key for key in keys if key in self._keys()]
        return {key: points(self._whole(key, most)) for key in wanted}

    def continues(self, records: Records) -> bool:
        """Whether these are more rows of the attempt that wrote the one before, and no restart."""
        legs = _legs(records, self.place)
        return not legs or (
            len(legs) == 1
            and _origin(legs[0][0]) == self.place.origin
            and legs[0][0]["step"] >= self.place.step
        )

    def _keys(self) -> list[str]:
        return list(dict.fromkeys([*self.stretches, *self.values]))

    def _whole(self, key: str, most: int) -> Stretches:
        rows = of_rows(self.at, self.values.get(key, np.full(len(self.at), math.nan)))
        old = self.stretches.get(key) or nothing(self.num_folded // self.size)
        whole = joined(old, merged(rows, self.size))
        return merged(whole, -(-len(whole.low) // most) or 1)

    def _begin(self, record: dict[str, Any]) -> None:
        """Cut what the new leg replaces, and go on counting seconds as if there had been no pause."""
        self.leg += 1
        self.ahead.pop(self.leg, None)
        step = record["step"]
        kept = int(np.searchsorted(self.at[:, 0], step))
        if kept and self.at[kept - 1, 0] % 1:  # the mark of a hole: what came behind it is cut
            kept -= 1
        if self.num_folded and not kept:
            raise Rewound({**self.ahead, self.leg: step})
        self.at = self.at[:kept]
        self.values = {key: column[:kept] for key, column in self.values.items()}
        last = self.at[-1] if kept else np.zeros(3)
        jump, pace = self._rhythm()
        seconds = float(last[2] + pace * (step - last[0])) if kept else 0.0
        time = _number(record.get("time"))
        self.place = Place(_origin(record), int(last[0]), float(last[1]), time, seconds, jump)

    def _rhythm(self) -> tuple[float, float]:
        """Return steps between the last two rows, and seconds a step there."""
        if len(self.at) < 2:  # noqa: PLR2004
            return 0.0, 0.0
        steps, _, seconds = self.at[-1] - self.at[-2]
        return float(steps), float(seconds / steps) if steps else 0.0

    def _append(self, records: Records) -> None:
        at = np.stack([_column(records, key, 0.0) for key in ("step", "tokens_seen", "time")], axis=1)
        at[~np.isfinite(at)] = 0.0
        place, time = self.place, float(at[-1, 2])
        at[:, 2] = np.maximum.accumulate(np.maximum(0.0, at[:, 2] - place.time)) + place.seconds
        jumps = np.diff(at[:, 0], prepend=place.step)
        before = np.concatenate([[place.jump], jumps[:-1]])
        if place.step == 0:
            before[:2] = 0.0  # the distance from nothing to the first row says nothing
        holes = np.flatnonzero((jumps > _HOLE * before) & (before > 0))
        earlier = np.concatenate([[(*place[1:3], place.seconds)], at[:-1]])[holes]
        marks = np.column_stack([earlier[:, 0] + 0.5, (earlier + at[holes])[:, 1:] / 2])
        self._add(np.insert(at, holes, marks, axis=0), _columns(records), holes)
        jump = 0.0 if place.step == 0 and len(at) == 1 else float(jumps[-1])
        step, tokens, seconds = map(float, at[-1])
        self.place = Place(_origin(records[-1]), int(step), tokens, time, seconds, jump)

    def _add(self, at: Array, columns: dict[str, Array], holes: Any) -> None:
        """Put rows behind those that are there; what stands at a hole is a gap in each metric."""
        num_old = len(self.at)
        self.at = np.concatenate([self.at, at])
        for key in dict.fromkeys([*self.values, *columns]):
            old = self.values.get(key, np.full(num_old, math.nan))
            new = columns.get(key, np.full(len(at) - len(holes), math.nan))
            self.values[key] = np.concatenate([old, np.insert(new, holes, math.inf)])

    def _fold(self) -> None:
        """Keep only the newest rows as they are; the others go into stretches, merged until they are few."""
        size, count = self.size, len(self.at) - TAIL
        while (self.num_folded + count) // size > MOST_STRETCHES:
            size *= 2
        count -= (self.num_folded + count) % size
        if count <= 0:
            return
        num_old = self.num_folded // self.size
        for key in self._keys():
            rows = self.values.get(key, np.full(len(self.at), math.nan))[:count]
            new = merged(of_rows(self.at[:count], rows), self.size)
            whole = joined(self.stretches.get(key) or nothing(num_old), new)
            self.stretches[key] = merged(whole, size // self.size)
        self.at = self.at[count:].copy()
        self.values = {key: column[count:].copy() for key, column in self.values.items()}
        self.num_folded, self.size = self.num_folded + count, size


def _columns(records: Records) -> dict[str, Array]:
    names = dict.fromkeys(name for record in records for name in record if "/" in name)
    return {name: _column(records, name, math.nan) for name in [*names][:MOST_KEYS]}


def _legs(records: Records, place: Place) -> list[Records]:
    """Return the records in pieces that each come from one attempt, with steps that do not fall."""
    bounds = [0]
    origins = [_origin(record) for record in records]
    for index, (one, other) in enumerate(pairwise(records), 1):
        if origins[index] != origins[index - 1] or other["step"] < one["step"]:
            bounds.append(index)
    legs = [records[start:end] for start, end in pairwise([*bounds, len(records)])]
    run, attempt = place.origin
    # An old writer that was fenced off, and writes on, is no restart.
    return [leg for leg in legs if leg and not (_origin(leg[0])[0] == run and _origin(leg[0])[1] < attempt)]


def _origin(record: dict[str, Any]) -> tuple[str, int]:
    return str(record.get("run_id") or ""), int(_number(record.get("attempt")))


def _column(records: Records, name: str, missing: float) -> Array:
    values = [math.inf if (value := record.get(name, missing)) is None else value for record in records]
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):  # a damaged line
        return np.array([_number(value, missing) for value in values], dtype=np.float64)


def _number(value: Any, missing: float = 0.0) -> float:
    try:
        return float(value) if isinstance(value, int | float) else missing
    except OverflowError:
        return missing
