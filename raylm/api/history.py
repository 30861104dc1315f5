"""A run's curve for a screen: the whole, reduced to what can be shown, and then only what was added.

Reading millions of lines takes seconds, so what was read is kept, in memory and for long runs in the person's
cache. Storage stays the truth: what is kept is used only while the files it was read from are the same, and
losing it costs time only.
"""

import base64
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from raylm.api import curve_cache
from raylm.api.reduced import Place, Reduced, Rewound
from raylm.config.errors import BadInput
from raylm.runs.read import fingerprint, read
from raylm.runs.run import Run

POINTS = 1000
"""Stretches of a whole curve; a shorter one is not reduced."""
BUDGET_S = 1.0
_PAGE = 10_000
_MOST_NEW = 2000  # rows behind a cursor; where there are more, the whole is the shorter answer
_MOST_POINTS = 32  # of an update that is not reduced: with names and cursor 2 kB
_KEPT = 16  # curves in memory, of some megabytes at most

Json = dict[str, Any]


class Histories:
    """Answers a screen's questions for curves; threads may share it."""

    def __init__(self, points: int = POINTS, budget_s: float = BUDGET_S) -> None:
        self._points = points
        self._budget_s = budget_s
        self._followed: OrderedDict[str, _Followed] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, run: Run, cursor: str | None = None, keys: Sequence[str] | None = None) -> Json:
        """Return {"points", "cursor", "step", "is_whole", "is_behind"}.

        `points` holds each metric (or those of `keys`) as points [step, tokens seen, seconds of training,
        value, mean]. A stretch of many steps is shown by its lowest and its highest value, with the mean of
        all; a single one has no mean. None for a value is a gap: no finite number, or steps that are missing.

        With a cursor these are points to add, few however many rows came; or, where `is_whole`, they replace
        all, because a restart went back. `is_behind`: so far only the curve up to `step` is read; ask again.

        Raises:
            BadInput: the cursor is none of a history's.
        """
        added = None if cursor is None else _added(run, cursor, keys)
        if added is not None:
            return added
        followed = self._of(run)
        with followed.lock:
            is_behind = followed.catch_up(time.monotonic() + self._budget_s)
            curve, place = followed.curve, followed.cursor
            points = curve.reduced_to(self._points, keys)
        is_done = not is_behind and place is not None
        return {
            "points": points,
            "cursor": _encode(place, curve.place) if is_done else None,
            "step": curve.place.step,
            "is_whole": True,
            "is_behind": is_behind,
        }

    def _of(self, run: Run) -> "_Followed":
        with self._lock:
            followed = self._followed.pop(run.uri, None) or _Followed(run)
            self._followed[run.uri] = followed
            while len(self._followed) > _KEPT:
                self._followed.popitem(last=False)
        return followed


class _Followed:
    """One run's curve, read as far as `cursor`."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.lock = threading.Lock()
        self.curve = Reduced()
        self.cursor: str | None = None
        self._seen = ""
        self._cached_rows = 0

    def catch_up(self, deadline: float) -> bool:
        """Read on until the end or the deadline; True where there is more."""
        if self.cursor is None:
            self._load()
        elif fingerprint(self.run, self.cursor) != self._seen:
            self._restart({})
        is_behind = self._read(deadline)
        assert self.cursor is not None
        self._seen = fingerprint(self.run, self.cursor)
        if self.curve.num_rows - self._cached_rows >= curve_cache.WORTH_ROWS:
            curve_cache.save(self.run.uri, curve_cache.Cached(self.curve, self.cursor, self._seen))
            self._cached_rows = self.curve.num_rows
        return is_behind

    def _read(self, deadline: float) -> bool:
        while True:
            records, self.cursor = read(self.run, "metrics", self.cursor, limit=_PAGE)
            if not records:
                return False
            try:
                self.curve.take(records)
            except Rewound as rewound:
                self._restart(rewound.ahead)
                continue  # there is nothing yet to answer with
            if time.monotonic() > deadline:
                return True

    def _load(self) -> None:
        cached = curve_cache.load(self.run.uri)
        if cached is not None and fingerprint(self.run, cached.cursor) == cached.seen:
            self.curve, self.cursor, self._seen = cached
            self._cached_rows = self.curve.num_rows

    def _restart(self, ahead: dict[int, int]) -> None:
        self.curve, self.cursor, self._cached_rows = Reduced(ahead=ahead), None, 0


def _added(run: Run, cursor: str, keys: Sequence[str] | None) -> Json | None:
    """Return what came behind the cursor; None where the whole must be told."""
    metrics_cursor, place = _decode(cursor)
    records, behind = read(run, "metrics", metrics_cursor, limit=_MOST_NEW)
    curve = Reduced(place)
    if len(records) == _MOST_NEW or not curve.continues(records):
        return None
    curve.take(records)
    return {
        "points": curve.reduced_to(_few(curve), keys),
        "cursor": _encode(behind, curve.place),
        "step": curve.place.step,
        "is_whole": False,
        "is_behind": False,
    }


def _few(curve: Reduced) -> int:
    """Return how many stretches an update may have: each row its own where that is little, else one."""
    num_rows = len(curve.at)
    return num_rows if 1 < num_rows * len(curve.values) <= _MOST_POINTS else 1


def _encode(metrics_cursor: str | None, place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([metrics_cursor, place]).encode()).decode()


def _decode(cursor: str) -> tuple[str, Place]:
    try:
        metrics_cursor, (origin, step, *numbers) = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        run_id, attempt = origin
        place = Place((str(run_id), int(attempt)), int(step), *map(float, numbers))
    except (ValueError, TypeError, AttributeError):
        raise BadInput.one(
            "cursor", "is not a cursor of history", "start again without one", code="cursor"
        ) from None
    return str(metrics_cursor), place
