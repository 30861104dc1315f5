"""A run's whole curve, small enough to send to a screen."""

from typing import Any

from raylm.runs.read import read
from raylm.runs.run import Run

POINTS = 4000
_EVAL = "eval/loss"

Records = list[dict[str, Any]]


def history(run: Run, points: int = POINTS) -> tuple[Records, str]:
    """Return at most about `points` records, one a step, and the cursor behind the last.

    The newest attempt wins: one that begins at step s replaces what older ones wrote from s on. Records with
    an evaluation are always kept.
    """
    records: Records = []
    cursor: str | None = None
    while True:
        page, cursor = read(run, "metrics", cursor, limit=10_000)
        if not page:
            return _thinned(records, points), cursor
        for record in page:
            _append(records, record)


def _append(records: Records, record: dict[str, Any]) -> None:
    while records and records[-1]["step"] > record["step"]:
        records.pop()
    if records and records[-1]["step"] == record["step"]:
        records[-1] = {**records[-1], **record}
    else:
        records.append(record)


def _thinned(records: Records, points: int) -> Records:
    stride = -(-len(records) // points) or 1
    last = len(records) - 1
    kept = (one for at, one in enumerate(records) if (last - at) % stride == 0 or _EVAL in one)
    return [{key: _short(key, value) for key, value in one.items()} for one in kept]


def _short(key: str, value: Any) -> Any:
    """Cut a measured number to six digits, more than a screen shows; a time needs all of its digits."""
    return float(f"{value:.6g}") if isinstance(value, float) and key != "time" else value
