"""`raylm runs compare`: curves, figures, and what differs in recipe, data, code and environment."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from raylm.api.compare import ASPECTS, CURVES, Comparison, compare, is_same
from raylm.cli.groups import group
from raylm.cli.options import AsJson, Storage, print_json, say
from raylm.cli.runs import storages_of
from raylm.cli.tables import print_table
from raylm.config.errors import BadInput
from raylm.runs.catalogue import find
from raylm.runs.run import Run

References = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN RUN...", help="Runs' ids, their beginnings, or their names.", show_default=False
    ),
]
_WIDTH = 40  # of a drawn curve, characters
_BARS = "▁▂▃▄▅▆▇█"
_MOST_NAMED = 6  # fields in the first line
_MOST_SHOWN = 60  # characters of a value
_BEFORE = 12  # characters before the place where long values part
_DIGESTS = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DIGEST = 12  # characters of one that are shown
_ABSENT = "-"


def register(app: typer.Typer) -> None:
    """Add the command to `raylm runs`."""
    group(app, "runs").command("compare")(compare_command)


def compare_command(references: References, *, storage: Storage = None, as_json: AsJson = False) -> None:
    """Print what differs between runs: their curves and figures, recipes, data, code and environment.

    The first line says it in words. Differences of evaluations are to the first run, and only where kind,
    settings and data of the evaluation are the same; of an evaluation at several steps the last one counts.
    """
    found = compare([_find(reference, storages_of(storage)) for reference in references])
    if as_json:
        print_json({"summary": in_words(found), **found.to_json()})
        return
    typer.echo(in_words(found))
    _print_results(found)
    _print_differences(found)
    for note in found.notes:
        say(f"note: {note}", err=True)


def in_words(found: Comparison) -> str:
    """Return what differs: `differ in optimizer.learning_rate; same data, same code, same environment`."""
    differing = {
        "recipe": [*_topics(found.recipe)],
        "data": _data_words(found),
        **{name: _with_parts(name, getattr(found, name)) for name in ("code", "environment")},
    }
    head = [word for words in differing.values() for word in words]
    unknown = {name: [run["label"] for run in found.runs if name in run["unknown"]] for name in ASPECTS}
    same = [f"same {name}" for name in ASPECTS if not differing[name] and not unknown[name]]
    missing = [f"{name} of {_listed(labels)} not known" for name, labels in unknown.items() if labels]
    parts = [f"differ in {_listed(head)}" if head else "", ", ".join(same), ", ".join(missing)]
    return "; ".join(part for part in parts if part)


def _find(reference: str, storages: list[str] | None) -> Run:
    run, step = find(reference, storages)
    if step is not None:
        mend = f"runs are compared whole: {run.run_id}"
        raise BadInput.one("run", "names a checkpoint, not a run", mend, code="not_a_run")
    return run


def _topics(recipe: Mapping[str, Sequence[Any]]) -> Iterable[str]:
    """Return the fields that differ; where a section is of another kind, or not there, that says enough."""
    topics = [*dict.fromkeys(_topic(field, recipe) for field in recipe)]
    more = len(topics) - _MOST_NAMED
    return topics if more <= 0 else [*topics[:_MOST_NAMED], f"{more} more fields"]


def _topic(field: str, recipe: Mapping[str, Sequence[Any]]) -> str:
    parts = field.split(".")
    for number in range(1, len(parts)):
        section = ".".join(parts[:number])
        if kinds := recipe.get(f"{section}.kind"):
            return section if None in kinds else f"{section}.kind"
    return field


def _data_words(found: Comparison) -> list[str]:
    if [*found.data] == ["order"]:
        return ["how the same data is drawn"]
    sources = [name for name, entries in found.sources.items() if not is_same(entries)]
    return [f"data ({_cut(sources)})" if sources else "data"] if found.data else []


def _with_parts(name: str, table: Mapping[str, Any]) -> list[str]:
    return [f"{name} ({_cut([*table])})"] if table else []


def _cut(names: Sequence[str]) -> str:
    return ", ".join([*names[:_MOST_NAMED], *(["..."] if len(names) > _MOST_NAMED else [])])


def _listed(words: Sequence[str]) -> str:
    return " and ".join([part for part in (", ".join(words[:-1]), words[-1]) if part])


def _print_results(found: Comparison) -> None:
    labels = [run["label"] for run in found.runs]
    columns = ["run", "status", "step", "of", "begins with", "id"]
    _print_section("runs", columns, [_run_row(run) for run in found.runs])
    for name in CURVES:
        curves = [run["curves"].get(name, []) for run in found.runs]
        steps = [step for points in curves for step, _ in points]
        if len({*steps}) > 1:
            drawn = zip(labels, drawings(curves), strict=True)
            _print_section(f"{name}, steps {min(steps)} to {max(steps)}", ["run", ""], [*map(list, drawn)])
    names = dict.fromkeys(name for run in found.runs for name in run["metrics"])
    rows = [_metric_row(name, found.runs) for name in names if _is_result(name, found.runs)]
    _print_section("metrics: the best at its step, and the last", ["metric", *labels], rows)
    _print_section("evaluations", ["evaluation", *labels], [*map(_evaluation_row, found.evaluations)])


def _print_differences(found: Comparison) -> None:
    labels = [run["label"] for run in found.runs]
    _print_section("recipe", ["field", *labels], [[name, *_shown(row)] for name, row in found.recipe.items()])
    sources = [
        [f"source {name}", *(_source(entry) for entry in entries)]
        for name, entries in found.sources.items()
        if not is_same(entries)
    ]
    for name in ("data", "code", "environment"):
        rows = [[part, *_shown(row)] for part, row in getattr(found, name).items()]
        _print_section(name, [name, *labels], [*rows, *(sources if name == "data" else [])])


def _print_section(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        typer.echo(f"\n{title}")
        print_table(columns, rows)


def _run_row(run: Mapping[str, Any]) -> list[str]:
    parent = run["parent"]
    origin = f"{parent['uri'].rpartition('/')[2]}@{parent['step']}" if parent else run["init"]
    middle = map(_text, (run["step"], run["max_steps"], origin))
    return [run["label"], run["status"], *middle, run["run_id"]]


def _is_result(name: str, runs: Sequence[Mapping[str, Any]]) -> bool:
    is_ranked = any(run["metrics"].get(name, {}).get("best") is not None for run in runs)
    return is_ranked or name == "throughput/tokens_per_second"


def _metric_row(name: str, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name, *(_ends(run["metrics"].get(name)) for run in runs)]


def _ends(ends: Mapping[str, Any] | None) -> str:
    if ends is None:
        return _ABSENT
    if ends["best"] is None or ends["best_step"] == ends["last_step"]:
        return f"{_number(ends['last'])} at {ends['last_step']}"
    return f"{_number(ends['best'])} at {ends['best_step']}, last {_number(ends['last'])}"


def _evaluation_row(row: Mapping[str, Any]) -> list[str]:
    return [f"{row['name']} {row['metric']}", *map(_figure, row["runs"])]


def _figure(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return _ABSENT
    low_high = figure["interval"]
    difference = figure["difference"]
    parts = [
        _number(figure["value"]),
        f"[{_number(low_high[0])}, {_number(low_high[1])}]" if low_high else "",
        "" if difference is None else f"{difference:+.4g}",
        f"(other {' and '.join(figure['differs_in'])})" if figure["differs_in"] else "",
        f"at {figure['step']}",
    ]
    return " ".join(part for part in parts if part)


def _source(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return _ABSENT
    tokens = sum((entry["tokens"] or {}).values())
    size = f"{entry['documents'] or 0:,} documents, {tokens:,} tokens"
    return f"{size}, licence {entry['licence']}, {str(entry['digest'])[:_DIGEST]}"


def _shown(row: Sequence[Any]) -> list[str]:
    """Return a row's values as text; of long ones that begin alike the part from where they differ."""
    texts = [_text(value) for value in row]
    known = [text for text in texts if text != _ABSENT]
    letters = enumerate(zip(*known, strict=False))
    common = next((at for at, (first, *others) in letters if {*others} - {first}), 0)
    start = max(0, common - _BEFORE) if max(map(len, texts)) > _MOST_SHOWN else 0
    return [text if text == _ABSENT else _shortened(text, start) for text in texts]


def _shortened(text: str, start: int) -> str:
    head = "…" if start else ""
    tail = "…" if len(text) > start + _MOST_SHOWN else ""
    return f"{head}{text[start : start + _MOST_SHOWN]}{tail}"


def _text(value: Any) -> str:
    if value is None:
        return _ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text[:_DIGEST] if _DIGESTS.fullmatch(text) else text


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.5g}"  # noqa: PLR2004 - where exponents begin


class _Scale(NamedTuple):
    """What the drawings of one metric have in common."""

    first_step: int
    last_step: int
    low: float
    high: float

    def drawing(self, points: Sequence[tuple[int, float]], width: int) -> str:
        """Return one line of bars; the last value in a place is shown."""
        values = {self._place(step, width): value for step, value in points}
        if not values:
            return ""
        line, shown = "", " "
        for place in range(max(values) + 1):
            shown = self._bar(values[place]) if place in values else shown
            line += shown
        return line

    def _place(self, step: int, width: int) -> int:
        return (step - self.first_step) * (width - 1) // max(1, self.last_step - self.first_step)

    def _bar(self, value: float) -> str:
        if not math.isfinite(value):
            return "!"
        share = (value - self.low) / (self.high - self.low or 1.0)
        return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]


def drawings(curves: Sequence[Sequence[tuple[int, float]]], width: int = _WIDTH) -> list[str]:
    """Return each curve as a line of bars; step and height have one scale, so that they compare.

    A place without a value repeats the one before it, a run that has ended is blank, `!` is no finite value.
    """
    steps = [step for points in curves for step, _ in points]
    heights = [value for points in curves for _, value in points if math.isfinite(value)]
    scale = _Scale(min(steps), max(steps), min(heights, default=0.0), max(heights, default=0.0))
    return [scale.drawing(points, width) for points in curves]
