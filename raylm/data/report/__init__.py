"""What a preparation did to its texts: for a person (HTML), for programs (JSON), and decision by decision."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from raylm.data.report.content import FORMAT, describe
from raylm.data.report.html import render
from raylm.data.report.masking import masker
from raylm.data.report.samples import Samples
from raylm.data.tally import Decision, Facts
from raylm.runs.folder import Folder

__all__ = ["DECISIONS", "FORMAT", "JSON", "PAGE", "build_report", "read_report", "write_report"]

JSON = "report.json"
PAGE = "report.html"
DECISIONS = "decisions.jsonl.gz"


def build_report(facts: Facts, decisions: Iterable[Decision]) -> dict[str, Any]:
    """Return report.json's content: counts of sources and filters, and samples of the decisions."""
    samples = Samples()
    for decision in _masked(facts, decisions):
        samples.add(decision)
    return _with_samples(facts, samples)


def write_report(folder: Folder, facts: Facts, decisions: Iterable[Decision]) -> tuple[str, ...]:
    """Write the report and the decisions into a dataset's folder; return the names of the files.

    The decisions are read once, one at a time; the same ones give the same bytes.
    """
    samples = Samples()
    names = _Names(facts)
    with_lines = (names.line(decision) for decision in samples.watch(_masked(facts, decisions)))
    _write_lines(folder, with_lines)
    report = _with_samples(facts, samples)
    folder.write(JSON, json.dumps(report, indent=1, ensure_ascii=False).encode() + b"\n")
    folder.write(PAGE, render(report).encode())
    return JSON, PAGE, DECISIONS


def read_report(folder: Folder) -> dict[str, Any] | None:
    """Return a dataset's report.json, or None where there is none that can be read."""
    try:
        report = json.loads(folder.read(JSON))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) and report.get("format") == FORMAT else None


def _masked(facts: Facts, decisions: Iterable[Decision]) -> Iterator[Decision]:
    mask = masker(facts.filters)
    return (decision._replace(excerpt=mask(decision.excerpt)) for decision in decisions)


class _Names:
    """Sources and filters by name, for lines that are read without the recipe."""

    def __init__(self, facts: Facts) -> None:
        self._sources = [source.name for source in facts.sources]
        self._filters = [str(each.get("kind", "")) for each in facts.filters]

    def line(self, decision: Decision) -> bytes:
        values = decision._asdict() | {
            "source": self._sources[decision.source],
            "filter": self._filters[decision.filter],
        }
        return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def _with_samples(facts: Facts, samples: Samples) -> dict[str, Any]:
    report = describe(facts)
    names = [source["name"] for source in report["sources"]]
    for number, each in enumerate(report["filters"]):
        each["samples"] = [
            {
                "action": decision.action,
                "reason": decision.reason,
                "detail": decision.detail,
                "excerpt": decision.excerpt,
                "origin": decision.origin,
                "source": names[decision.source],
            }
            for decision in samples.of(number)
        ]
    return report


def _write_lines(folder: Folder, lines: Iterator[bytes]) -> None:
    file = folder.writer(DECISIONS)
    buffer = io.BufferedWriter(file, 1 << 20)  # a plain file may take a part of what it is given
    with gzip.GzipFile("", "wb", fileobj=buffer, mtime=0) as packed:
        for line in lines:
            packed.write(line)
    buffer.flush()
    buffer.detach()
    folder.finish(file)
