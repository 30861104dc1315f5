"""What people ask when runs differ: their curves and evaluations, and the diff of all that went into them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from raylm.config.errors import BadInput
from raylm.config.yaml import parse_yaml
from raylm.metrics import is_lower_better
from raylm.runs.evaluations import evaluations, side_by_side
from raylm.runs.read import read
from raylm.runs.records import metric
from raylm.runs.run import Run
from raylm.runs.status import read_json
from raylm.runs.summary import summary

POINTS = 60  # of a curve
ASPECTS = ("recipe", "data", "code", "environment")
CURVES = ("eval/loss", "train/loss")

Json = dict[str, Any]
Points = list[tuple[int, float]]
Table = dict[str, list[Any]]

_NOT_COMPUTED = {"name", "storage", "plugins"}  # of a recipe: a label, a place, and what `code` tells better
_OTHER_TEXTS = "the data differ, so eval/ may be measured on other texts: an evaluation of one file compares"
_OF_SOURCE = ("licence", "origin", "retrieved", "digest", "documents", "tokens")


@dataclass(frozen=True)
class Comparison:
    """Runs side by side. Every list of values is in their order, with None where one has none."""

    runs: list[Json]
    """Of each run: what a list of runs shows, label, init, metrics, curves, evaluations, and what of it is
    `unknown`: recipe, data, code or environment."""
    evaluations: list[Json]
    """See `raylm.runs.evaluations.side_by_side`."""
    recipe: Table
    """The fields of the resolved recipes that differ."""
    data: Table
    """What differs of the prepared data, and `order`: how it is packed, cut and drawn."""
    sources: Table
    """Each source's entry in each run's ledger, by the source's name; those that are the same too."""
    code: Table
    """What differs of commit, raylm's version and plug-ins."""
    environment: Table
    """What differs of packages, machine and precision."""
    notes: list[str]
    """What a reader of the numbers must know."""

    def to_json(self) -> Json:
        """Return plain values; a number that is not finite is None, as JSON has none such."""
        return _finite(asdict(self))


class Side(NamedTuple):
    """One of the runs, read; None is what cannot be known."""

    run: Run
    label: str
    recipe: Json | None
    data: Json | None
    code: Json | None
    environment: Json | None
    sources: dict[str, Json]


def compare(runs: Sequence[Run]) -> Comparison:
    """Return in what runs differ; one that is damaged or has not begun is compared as far as it can be read.

    Raises:
        BadInput: there are fewer than two runs, or one is given twice.
    """
    _check(runs)
    is_name_enough = len({run.name for run in runs}) == len(runs)
    sides = [read_side(run, run.name if is_name_enough else run.run_id) for run in runs]
    facts = [_run_facts(side) for side in sides]
    names = dict.fromkeys(name for side in sides for name in side.sources)
    data = differing([side.data for side in sides])
    if "dataset" in data:
        data.pop("order", None)  # other rows are another order, which says nothing more
    return Comparison(
        runs=facts,
        evaluations=side_by_side([each["evaluations"] for each in facts]),
        recipe=shortened(differing([side.recipe for side in sides]), [run.storage for run in runs]),
        data=data,
        sources={name: [side.sources.get(name) for side in sides] for name in names},
        code=differing([side.code for side in sides]),
        environment=differing([side.environment for side in sides]),
        notes=[
            *([_OTHER_TEXTS] if "dataset" in data else []),
            *(each for one in sides for each in _changes(one)),
        ],
    )


def is_same(values: Sequence[Any]) -> bool:
    """Whether a row of a table holds one value only."""
    return all(value == values[0] for value in values)


def _check(runs: Sequence[Run]) -> None:
    if len(runs) < 2:  # noqa: PLR2004 - a pair
        raise BadInput.one("run", "one run has nothing to differ from", "name two or more", code="few")
    uris = [run.uri for run in runs]
    for run in runs:
        if uris.count(run.uri) > 1:
            raise BadInput.one("run", f"{run.run_id} is given twice", "name each run once", code="duplicate")


def read_side(run: Run, label: str) -> Side:
    """Return what went into a run, as far as it can be read."""
    header = read_json(run.folder, "run.json") or {}
    ledger = header.get("ledger") or {}
    return Side(
        run,
        label,
        recipe=recipe_fields(run),
        data=_data(header, ledger),
        code=_code(run, header),
        environment=_environment(run, header),
        sources={
            each["name"]: {key: each.get(key) for key in _OF_SOURCE} for each in ledger.get("sources", ())
        },
    )


def recipe_fields(run: Run, launch: int | None = None) -> Json | None:
    """Return a launch's recipe by dotted field, by default the newest's; None where it cannot be read."""
    try:
        values = parse_yaml(run.recipe_yaml(launch), "recipe").values
    except (BadInput, OSError, ValueError):
        return None
    return _flat({name: value for name, value in values.items() if name not in _NOT_COMPUTED})


def _flat(value: Any, field: str = "") -> Json:
    """Return values by dotted field, the sections of a list by their number, as an override names them."""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        value = {str(number): item for number, item in enumerate(value)}
    if not isinstance(value, dict):
        return {} if value == [] else {field: value}  # an empty list of sections holds no field
    inner = (_flat(item, f"{field}.{name}" if field else str(name)) for name, item in value.items())
    return {name: item for each in inner for name, item in each.items()}


def _data(header: Json, ledger: Json) -> Json | None:
    digest, dataset = header.get("data_digest"), ledger.get("digest")
    if not digest or not dataset:
        return {"digest": digest} if digest else None
    facts = {key: ledger.get(key) for key in ("vocab_size", "filters")}
    return {"dataset": dataset, "order": digest, **facts}


def _code(run: Run, header: Json) -> Json | None:
    """Return what a run was started with; no commit means outside a checkout, a plug-in's name its digest."""
    if "git" not in header:
        return None
    version = (header.get("packages") or {}).get("raylm")
    return {"git": header["git"], "raylm": version, "plugins": run.folder.names("plugins")}


def _environment(run: Run, header: Json) -> Json | None:
    """Return where the run has trained last; None where it has not yet."""
    started = [event for event in run.events() if event.get("event") == "started"]
    if not started:
        return None
    packages = {name: version for name, version in (header.get("packages") or {}).items() if name != "raylm"}
    return {
        **packages,
        **{key: header.get(key) for key in ("python", "cpu_count")},
        **{key: started[-1].get(key) for key in ("device", "threads", "precision")},
    }


def differing(rows: Sequence[Json | None]) -> Table:
    """Return what differs among the rows that are known."""
    known = [row for row in rows if row is not None]
    names = dict.fromkeys(name for row in known for name in row)
    return {
        name: [None if row is None else row.get(name) for row in rows]
        for name in names
        if not is_same([row.get(name) for row in known])
    }


def shortened(table: Table, storages: Sequence[str]) -> Table:
    """Return the table with paths under a storage relative to it, unless two that differ become one."""
    found = {}
    for name, values in table.items():
        short = [_without(value, storages) for value in values]
        pairs = [(a, b) for a in range(len(values)) for b in range(a)]
        merged = any(short[a] == short[b] and values[a] != values[b] for a, b in pairs)
        found[name] = values if merged else short
    return found


def _without(value: Any, storages: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, storages) for item in value]
    over = [one for one in storages if isinstance(value, str) and value.startswith(f"{one}/")]
    return value.removeprefix(f"{over[0]}/") if over else value


def _run_facts(side: Side) -> Json:
    found = _curves(side.run)
    init = (side.recipe or {}).get("init.from")
    return {
        "label": side.label,
        **summary(side.run),
        "init": _without(init, [side.run.storage]),
        "unknown": [name for name in ASPECTS if getattr(side, name) is None],
        "metrics": {name: _ends(name, points) for name, points in found.items()},
        "curves": {name: thinned(found[name]) for name in CURVES if name in found},
        "evaluations": evaluations(side.run),
    }


def _changes(side: Side) -> list[str]:
    """Return what resumes have changed: the recipe compared is that of the last launch."""
    numbers = [launch["launch"] for launch in side.run.launches()]
    recipes = [recipe_fields(side.run, number) for number in numbers]
    changed = [", ".join(differing(pair)) for pair in pairwise(recipes)]
    return [
        f"{side.label}: launch {number} changed {fields}"
        for number, fields in zip(numbers[1:], changed, strict=True)
        if fields
    ]


def _curves(run: Run) -> dict[str, Points]:
    """Return every metric by step in one pass over the files, as `raylm.runs.read.curve` does for one."""
    found: dict[str, Points] = defaultdict(list)
    begun: tuple[Any, Any] | None = None
    cursor: str | None = None
    while True:
        records, cursor = read(run, "metrics", cursor, limit=10_000)
        if not records:
            return {name: points for name, points in found.items() if points}
        for record in records:
            attempt = (record.get("run_id"), record.get("attempt"))
            if attempt != begun:
                _cut(found.values(), record["step"])
            begun = attempt
            _append(found, record)


def _append(found: dict[str, Points], record: Json) -> None:
    for name in record:
        if "/" in name and (value := metric(record, name)) is not None:
            _cut([found[name]], record["step"])
            found[name].append((record["step"], value))


def _cut(curves: Iterable[Points], step: int) -> None:
    for points in curves:
        while points and points[-1][0] >= step:
            points.pop()


def _ends(name: str, points: Points) -> Json:
    """Return a curve's last value and, where one can be better than another, its best."""
    last_step, last = points[-1]
    found = {"last": last, "last_step": last_step, "best": None, "best_step": None}
    is_lower = is_lower_better(name)
    finite = [(value, step) for step, value in points if math.isfinite(value)]
    if finite and (is_lower or name.startswith("eval/")):
        pick = min if is_lower else max
        found["best"], found["best_step"] = pick(finite, key=lambda pair: pair[0])
    return found


def thinned(points: Points, most: int = POINTS) -> Points:
    """Return at most so many points: the ends, and the lowest and the highest of each stretch between."""
    if len(points) <= most:
        return points
    inner, num_stretches = points[1:-1], (most - 2) // 2
    bounds = [len(inner) * number // num_stretches for number in range(num_stretches + 1)]
    stretches = [inner[start:stop] for start, stop in pairwise(bounds)]
    kept = {pick(each, key=_height) for each in stretches for pick in (min, max)}
    return [points[0], *sorted(kept, key=lambda point: point[0]), points[-1]]


def _height(point: tuple[int, float]) -> float:
    return math.inf if math.isnan(point[1]) else point[1]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
