"""A run's kept evaluations, `evaluations/step-<8 digits>/<name>.json`: what there is, and what differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from raylm.runs.run import Run
from raylm.runs.status import read_json

Record = dict[str, Any]

_STEP = re.compile(r"step-(\d{8,})")
_DATASET = re.compile(r".*/datasets/([0-9a-f]{64})")  # whose name is a digest of all that decided it


def evaluations(run: Run) -> list[Record]:
    """Return the records of a run's evaluations by step, then by name; a file that is no record is left out.

    A record has name, kind, step, settings, data (sha256 by file), metrics and intervals, and what else its
    evaluation writes.
    """
    found: list[Record] = []
    for folder in run.folder.names("evaluations"):
        match = _STEP.fullmatch(folder)
        for name in run.folder.names(f"evaluations/{folder}") if match else ():
            record = read_json(run.folder, f"evaluations/{folder}/{name}") if name.endswith(".json") else None
            if match and record is not None and isinstance(record.get("metrics"), dict):
                # Where it lies says which it is: a file that was copied here may say otherwise.
                found.append({**record, "name": name.removesuffix(".json"), "step": int(match[1])})
    return sorted(found, key=lambda record: (record["step"], record["name"]))


def evaluation_summary(record: Record) -> Record:
    """Return an evaluation as a list shows it."""
    return {
        **{key: record.get(key) for key in ("name", "kind", "step", "date")},
        "metrics": figures(record),
        "intervals": {name: interval(record, name) for name in figures(record)},
    }


def figures(record: Record) -> dict[str, float]:
    """Return the metrics that are numbers; a text or a list among them is no figure."""
    found = {name: value for name, value in record["metrics"].items() if isinstance(value, int | float)}
    return {name: float(value) for name, value in found.items()}


def interval(record: Record, metric: str) -> list[float] | None:
    """Return the 95 % interval of a metric, [low, high]; None where the evaluation gives none."""
    intervals = record.get("intervals")
    found = intervals.get(metric) if isinstance(intervals, dict) else None
    return found if isinstance(found, list) and len(found) == 2 else None  # noqa: PLR2004 - low, high


def side_by_side(runs: Sequence[Sequence[Record]]) -> list[dict[str, Any]]:
    """Return the figures of several runs' evaluations, of each name those at a run's last evaluated step.

    Each is name, metric and `runs`: by run its step, value, interval, `differs_in` and `difference`, or None.
    `differs_in` says in what the run's evaluation is of something else than the first run's (kind, settings
    or data); only where it is of the same thing is there a difference.
    """
    newest = [{record["name"]: record for record in records} for records in runs]
    found = []
    for name in sorted({name for each in newest for name in each}):
        records = [each.get(name) for each in newest]
        for metric in dict.fromkeys(metric for record in records if record for metric in figures(record)):
            row = [_figure(record, metric, records[0]) for record in records]
            found.append({"name": name, "metric": metric, "runs": row})
    return found


def _figure(record: Record | None, metric: str, first: Record | None) -> dict[str, Any] | None:
    value = None if record is None else figures(record).get(metric)
    if record is None or value is None:
        return None
    differs_in = [] if first is None else _differing_parts(record, first)
    firsts = None if first is None or first is record or differs_in else figures(first).get(metric)
    return {
        "step": record["step"],
        "value": value,
        "interval": interval(record, metric),
        "differs_in": differs_in,
        "difference": None if firsts is None else value - firsts,
    }


def _differing_parts(record: Record, other: Record) -> list[str]:
    mine, its = _subject(record), _subject(other)
    return [part for part, value in mine.items() if its[part] != value]


def _subject(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an evaluation is of; where files lie does not matter, only what is in them."""
    kind, data = record.get("kind"), record.get("data")
    is_loss = kind == "validation"
    digests = [_identity(str(name), str(digest), is_loss=is_loss) for name, digest in _items(data)]
    return {"kind": kind, "settings": record.get("settings"), "data": sorted(digests)}


def _items(data: Any) -> Iterable[tuple[Any, Any]]:
    return data.items() if isinstance(data, dict) else ()


def _identity(name: str, digest: str, *, is_loss: bool) -> str:
    """Return what tells a file from others: its digest, or for rows of a run's own their dataset's.

    The digest beside a dataset is of the run's data plan, which has the seed in it; the rows of a split are
    the same under any. The loss is not: it depends on how the plan cuts the texts.
    """
    match = None if is_loss else _DATASET.fullmatch(name)
    return match[1] if match else digest
