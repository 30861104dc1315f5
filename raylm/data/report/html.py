"""report.html: the report for a person, in one file that asks for nothing from anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raylm.data.report.shapes import domain, histogram, shares
from raylm.data.report.words import brief, grouped, num_bytes, percent, plain, shown, tail

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
_MOST_HISTOGRAMS = 12  # of single sources; a page of more is no longer looked at


def render(report: Mapping[str, Any]) -> str:
    """Return the page of a report that `describe` and the samples made."""
    return _environment().get_template("report.html.j2").render(report=report, **_views(report))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,  # every text on the page was written by strangers
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": grouped,
        "bytes": num_bytes,
        "percent": percent,
        "plain": plain,
        "shown": shown,
        "place": tail,
        "brief": brief,
    }
    return environment


def _views(report: Mapping[str, Any]) -> dict[str, Any]:
    totals, sources = report["totals"], report["sources"]
    raw, kept = (totals[name]["lengths"] for name in ("raw", "kept"))
    powers = domain({**raw, **kept})
    return {
        "tiles": _tiles(report),
        "steps": _steps(report),
        "lengths": histogram(raw, kept, powers),
        "source_lengths": [
            (
                source["name"],
                histogram(source["raw"]["lengths"], source["kept"]["lengths"], powers, is_small=True),
            )
            for source in sources[:_MOST_HISTOGRAMS]
            if len(sources) > 1
        ],
        "languages": shares(report["languages"] or {}),
        "personal_data": shares(report["personal_data"] or {}, most=20),
        "licences": shares({name: entry["tokens"] for name, entry in report["licences"].items()}),
        "source_shares": {each.name: each for each in shares(_tokens_by_source(sources), most=len(sources))},
    }


def _tokens_by_source(sources: list[dict[str, Any]]) -> dict[str, int]:
    return {source["name"]: sum(source["tokens"].values()) for source in sources}


def _tiles(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, value and a remark of each number that a person looks for first."""
    raw, kept, tokens = (report["totals"][name] for name in ("raw", "kept", "tokens"))
    dropped = raw["documents"] - kept["documents"]
    share = percent(dropped / max(1, raw["documents"]))
    splits = " + ".join(f"{grouped(count)} {name}" for name, count in tokens.items() if count)
    tiles = [
        ("Documents kept", grouped(kept["documents"]), f"of {grouped(raw['documents'])} read"),
        ("Dropped", grouped(dropped), f"{share} of the documents"),
        ("Text kept", num_bytes(kept["bytes"]), f"of {num_bytes(raw['bytes'])} read"),
        ("Tokens", grouped(sum(tokens.values())), splits),
    ]
    counted = {
        "Exact duplicates": (report["exact_duplicates"], "documents dropped"),
        "Near duplicates": (report["near_duplicates"], "documents dropped"),
        "Evaluation texts": (report["contaminated"], "documents that held one"),
        "Personal data": (_total(report["personal_data"]), "places found"),
        "Languages": (_num_languages(report["languages"]), "in the documents"),
    }
    tiles += [
        (name, grouped(count), remark) for name, (count, remark) in counted.items() if count is not None
    ]
    return [*tiles, ("Licences", grouped(len(report["licences"])), "over all sources")]


def _total(counts: Mapping[str, int] | None) -> int | None:
    return None if counts is None else sum(counts.values())


def _num_languages(counts: Mapping[str, int] | None) -> int | None:
    return None if counts is None else len(counts.keys() - {"unknown"})


def _steps(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the flow through the filters."""
    steps = []
    left = report["totals"]["raw"]["documents"]
    for number, each in enumerate(report["filters"]):
        steps.append(_step(each, report, number, left))
        left -= steps[-1]["dropped"]
    return steps


def _step(each: Mapping[str, Any], report: Mapping[str, Any], number: int, left: int) -> dict[str, Any]:
    """Return one filter of the flow, `left` documents before it; widths are shares of all that were read."""
    whole = max(1, report["totals"]["raw"]["documents"])
    dropped = each["documents"] - each["kept"]
    passed = left - each["documents"]  # of sources that the filter is not for
    return {
        "title": plain(each["kind"]),
        "kept_width": round(100 * each["kept"] / whole, 2),
        "passed_width": round(100 * passed / whole, 2),
        # A filter that drops little would else look as one that drops nothing.
        "dropped_width": max(0.4, round(100 * dropped / whole, 2)) if dropped else 0,
        "dropped": dropped,
        "passed": passed,
        "changed": sum(each["changed"].values()),
        "reasons": _reasons(each),
        "rows": _rows(report, number),
        "settings": _settings(each["settings"]),
        **{key: each[key] for key in ("documents", "kept", "found")},
    }


def _settings(settings: Mapping[str, Any]) -> dict[str, str]:
    return {name: _listed(value) for name, value in settings.items() if value not in ([], "")}


def _listed(value: Any) -> str:
    """Return a setting as a person would write it in a recipe."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_listed, value))
    return json.dumps(value) if isinstance(value, bool | None) else str(value)


def _reasons(each: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the filter did by reason, most documents first, with samples."""
    found = [
        {
            "action": action,
            "reason": reason,
            "count": count,
            "samples": [
                sample
                for sample in each["samples"]
                if (sample["action"], sample["reason"]) == (action, reason)
            ],
        }
        for action in ("dropped", "changed")
        for reason, count in each[action].items()
    ]
    return sorted(found, key=lambda entry: -entry["count"])


def _rows(report: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
    """Return what the filter did to each source, where it met any document."""
    rows = [{"name": source["name"], **source["filters"][number]} for source in report["sources"]]
    return [
        {
            "name": row["name"],
            "documents": row["documents"],
            "dropped": sum(row["dropped"].values()),
            "changed": sum(row["changed"].values()),
        }
        for row in rows
        if row["documents"]
    ]
