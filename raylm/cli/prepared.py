"""What `raylm prepare` says of a dataset: a few lines for a person, one object for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from raylm.cli.tables import print_table

if TYPE_CHECKING:
    from raylm.data.prepare import Prepared

_MOST_FOUND = 6  # of languages and the like in a line; the report has them all


def prepared_facts(prepared: Prepared) -> dict[str, Any]:
    """Return what a dataset holds and how it came about."""
    from raylm.data.ledger import read_ledger
    from raylm.data.report import PAGE, read_report
    from raylm.runs.folder import Folder

    index, folder = prepared.index, Folder.open(prepared.uri)
    splits = {
        name: {"documents": split.num_documents, "tokens": split.num_tokens, "bytes": split.num_bytes}
        for name, split in index.splits.items()
    }
    report = read_report(folder)
    return {
        "digest": index.digest,
        "path": prepared.uri,
        "report": f"{prepared.uri}/{PAGE}" if report else None,
        "is_reused": prepared.is_reused,
        "documents": index.num_documents,
        "tokens": sum(split["tokens"] for split in splits.values()),
        "vocab_size": index.vocab_size,
        "splits": splits,
        "sources": (read_ledger(folder) or {"sources": []})["sources"],
        "filters": [_filter(each) for each in report["filters"]] if report else [],
        "notes": list(index.notes),
    }


def _filter(each: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each[name] for name in ("kind", "documents", "kept", "dropped", "changed", "found")}


def print_summary(facts: Mapping[str, Any]) -> None:
    """Print what came of each source and each filter, and where the report lies."""
    if len(facts["sources"]) > 1 or facts["filters"]:
        _print_sources(facts["sources"])
    for each in facts["filters"]:
        typer.echo(f"  {each['kind']:<18} {each['documents']:>9,} in   {_what_it_did(each)}")
    splits = " and ".join(f"{split['tokens']:,} {name}" for name, split in facts["splits"].items())
    done = "was there already" if facts["is_reused"] else "prepared"
    typer.echo(f"{done}: {splits} tokens, vocabulary {facts['vocab_size']:,}\n{facts['path']}")
    if facts["report"]:
        typer.echo(f"report: {facts['report']}")


def _print_sources(sources: Iterable[Mapping[str, Any]]) -> None:
    rows = [
        (
            source["name"],
            source["licence"],
            f"{source['read']['documents']:,}",
            f"{source['documents']:,}",
            f"{source['read']['documents'] - source['documents']:,}",
            f"{sum(source['tokens'].values()):,}",
        )
        for source in sources
    ]
    print_table(("source", "licence", "read", "kept", "dropped", "tokens"), rows)


def _what_it_did(each: Mapping[str, Any]) -> str:
    parts = [
        f"{sum(each[action].values()):,} {action} ({_listed(each[action])})"
        for action in ("dropped", "changed")
        if each[action]
    ]
    if each["found"]:
        parts.append(f"found {_listed(each['found'])}")
    return ", ".join(parts) or "all kept"


def _listed(counts: Mapping[str, int]) -> str:
    """Return the largest counts by name, and how many more names there are."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{count:,} {name.replace('_', ' ')}" for name, count in ranked[:_MOST_FOUND]]
    rest = len(ranked) - len(shown)
    return ", ".join([*shown, f"{rest} more"] if rest else shown)
