"""A result of `raylm evaluate` as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from raylm.cli.options import say
from raylm.cli.tables import print_table

_MOST_PARTS = 20  # of a breakdown


def print_evaluation(record: Mapping[str, Any]) -> None:
    """Print the metrics of a record, what they were compared with, and them by part; notes come last."""
    baselines = record.get("baselines", {})
    columns = [*baselines] or ["chance"]
    print_table(
        ["metric", "value", "95 %", *columns], [_row(name, record, baselines) for name in record["metrics"]]
    )
    if record.get("difference"):
        typer.echo(_difference(record["difference"]))
    for name, parts in {"part": record["breakdown"], **record.get("breakdowns", {})}.items():
        _print_parts(name, parts)
    counts = ", ".join(f"{name} {count:,}" for name, count in record["counts"].items())
    split = record["settings"].get("split")
    rows = f", {split} split" if split else ""
    typer.echo(f"step {record['step']}{rows}: {counts}; {record['seconds']:.1f} s", err=True)
    for note in record["notes"]:
        say(f"note: {note}", err=True)


def _row(name: str, record: Mapping[str, Any], baselines: Mapping[str, Any]) -> list[str]:
    chance = record["chance"].get(name)
    others = [_found(name, each) for each in baselines.values()]
    return [
        name,
        _shown(record["metrics"][name]),
        _interval(record["intervals"].get(name)),
        *(others or ["" if chance is None else f"{chance:.3f}"]),
    ]


def _found(name: str, baseline: Mapping[str, Any]) -> str:
    """Return a baseline's metric with its interval."""
    value = baseline["metrics"].get(name)
    reach = _interval(baseline["intervals"].get(name))
    return "" if value is None else f"{_shown(value)} ({reach})" if reach else _shown(value)


def _interval(reach: Any) -> str:
    return f"{reach[0]:.3f} to {reach[1]:.3f}" if reach else ""


def _difference(difference: Mapping[str, Any]) -> str:
    value, reach = difference["value"], _interval((difference["low"], difference["high"]))
    return f"{difference['metric']} minus that of {difference['baseline']}: {value:+.4f} (95 %: {reach})"


def _print_parts(name: str, parts: Mapping[str, Mapping[str, Any]]) -> None:
    if not parts:
        return
    columns = list(dict.fromkeys(column for part in parts.values() for column in part))
    typer.echo("")
    rows = [
        [part, *(_shown(values.get(column)) for column in columns)]
        for part, values in list(parts.items())[:_MOST_PARTS]
    ]
    print_table([name, *columns], rows)
    if len(parts) > _MOST_PARTS:
        typer.echo(f"and {len(parts) - _MOST_PARTS} more: see --json", err=True)


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
