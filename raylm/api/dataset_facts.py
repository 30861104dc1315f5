"""What a prepared dataset holds and how it came about, as a screen shows it; every list has a most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from raylm.api.datasets import LONGEST_NAME, Chosen, Json, prepared_at, runs_with
from raylm.config.errors import BadInput
from raylm.data.index import Index, SourceIndex
from raylm.data.ledger import read_ledger, removed_documents
from raylm.data.lengths import token_lengths
from raylm.data.report import PAGE, read_report
from raylm.data.shards import Dataset
from raylm.runs.folder import Folder

MOST_SOURCES = 100  # the largest ones; of the others their number is told
MOST_REASONS = 12  # of a filter
MOST_EXAMPLES = 4  # of a filter's decisions
MOST_RUNS = 20
_LONGEST_EXCERPT = 300  # characters
_MOST_MEASURED = 50_000_000  # documents whose lengths are counted while a person waits


def facts_of(chosen: Chosen, storages: Sequence[str] | None) -> Json:
    """Return a dataset's sources, filters and lengths; of one that is gone, what the run's ledger says.

    Raises:
        BadInput: it is damaged, or neither files nor a ledger are left.
    """
    header = chosen.run.header() if chosen.run else {}
    if chosen.folder is not None:
        found = _of_folder(chosen.folder)
        found["runs"] = runs_with(found["digest"], storages)[:MOST_RUNS]
    elif ledger := header.get("ledger"):
        found = _of_ledger(ledger)
    else:
        message = f"the data of {chosen.run and chosen.run.run_id} is not reached from here"
        raise BadInput.one("run_id", message, "prepare it again: raylm prepare RECIPE", code="no-dataset")
    earlier = [entry for each in header.get("earlier_ledgers") or () for entry in each["sources"]]
    return {
        "dataset_id": chosen.dataset_id,
        "run_id": chosen.run.run_id if chosen.run else None,
        **found,
        "earlier": _sources(earlier)["sources"],
    }


def _of_folder(folder: Folder) -> Json:
    index, ledger, report = Index.read(folder), read_ledger(folder), read_report(folder) or {}
    splits = [
        {"name": name, "documents": split.num_documents, "tokens": split.num_tokens, "bytes": split.num_bytes}
        for name, split in index.splits.items()
    ]
    return {
        "is_whole": True,
        "uri": folder.uri,
        "digest": index.digest,
        "prepared": prepared_at(folder),
        "documents": index.num_documents,
        "splits": splits,
        "tokenizer": _tokenizer(index.tokenizer, index.vocab_size),
        **_sources(ledger["sources"] if ledger else map(_entry, index.sources)),
        "filters": [_filter(each) for each in report.get("filters", ())],
        "duplicates": {name: report.get(f"{name}_duplicates") for name in ("exact", "near")},
        "contaminated": report.get("contaminated"),
        "lengths": _lengths(folder, index, report),
        "notes": [note[:_LONGEST_EXCERPT] for note in index.notes],
        "report": f"{folder.uri}/{PAGE}" if PAGE in index.reports else "",
    }


def _of_ledger(ledger: Mapping[str, Any]) -> Json:
    """Return what a ledger knows: the sources, and what each filter took out or changed."""
    entries = ledger["sources"]
    return {
        "is_whole": False,
        "uri": "",
        "digest": ledger["digest"],
        "prepared": None,
        "documents": sum(entry["documents"] for entry in entries),
        "splits": [],
        "tokenizer": _tokenizer(ledger["tokenizer"], ledger["vocab_size"]),
        **_sources(entries),
        "filters": [_filter_of_ledger(kind, entries) for kind in dict.fromkeys(ledger["filters"])],
        "duplicates": {"exact": None, "near": None},
        "contaminated": None,
        "lengths": [],
        "notes": [],
        "report": "",
        "runs": [],
    }


def _tokenizer(settings: Mapping[str, Any], vocab_size: int) -> Json:
    return {"kind": str(settings.get("kind", "")), "vocab_size": vocab_size}


def _entry(source: SourceIndex) -> Json:
    """Return what an index says of a source, as a ledger would."""
    documents = sum(source.num_documents.values())
    return {
        "name": source.name,
        "licence": source.licence,
        "origin": "",
        "retrieved": "",
        "read": {"documents": documents},
        "documents": documents,
        "removed": {},
        "tokens": source.num_tokens,
    }


def _sources(entries: Iterable[Mapping[str, Any]]) -> Json:
    """Return the largest sources, how many there are, and the tokens of all."""
    rows = sorted(map(_source, entries), key=lambda row: -row["tokens"])
    total = sum(row["tokens"] for row in rows)
    shown = [{**row, "share": row["tokens"] / max(1, total)} for row in rows[:MOST_SOURCES]]
    return {"sources": shown, "num_sources": len(rows), "tokens": total}


def _source(entry: Mapping[str, Any]) -> Json:
    words = {name: str(entry[name])[:LONGEST_NAME] for name in ("name", "licence", "origin", "retrieved")}
    return {
        **words,
        "read": entry["read"]["documents"],
        "documents": entry["documents"],
        "removed": removed_documents(entry),
        "tokens": sum(entry["tokens"].values()),
    }


def _filter(each: Mapping[str, Any]) -> Json:
    """Return what a report says of a filter."""
    examples = [
        {
            "action": sample["action"],
            "reason": str(sample["reason"])[:LONGEST_NAME],
            "excerpt": str(sample["excerpt"])[:_LONGEST_EXCERPT],
            "source": str(sample["source"])[:LONGEST_NAME],
        }
        for sample in each.get("samples", ())[:MOST_EXAMPLES]
    ]
    counts = {name: _ranked(each[name]) for name in ("dropped", "changed", "found")}
    return {"kind": each["kind"], "documents": each["documents"], "kept": each["kept"], **counts} | {
        "examples": examples
    }


def _filter_of_ledger(kind: str, entries: Iterable[Mapping[str, Any]]) -> Json:
    """Return what a ledger says of a filter: neither what came in nor what it found."""
    dropped, changed = Counter[str](), Counter[str]()
    for entry in entries:
        dropped.update(entry["removed"].get(kind, {}))
        changed.update(entry["changed"].get(kind, {}))
    counts = {"dropped": _ranked(dropped), "changed": _ranked(changed), "found": _ranked({})}
    return {"kind": kind, "documents": None, "kept": None, **counts, "examples": []}


def _ranked(counts: Mapping[str, int]) -> Json:
    """Return the largest counts by name, the sum of all, and how many names are left out."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [{"name": name[:LONGEST_NAME], "count": count} for name, count in ranked[:MOST_REASONS]]
    return {"most": shown, "total": sum(counts.values()), "num_others": len(ranked) - len(shown)}


def _lengths(folder: Folder, index: Index, report: Mapping[str, Any]) -> list[Json]:
    """Return histograms of documents: tokens as they lie there, characters as they were read and kept."""
    found = []
    num_documents = sum(split.num_documents for split in index.splits.values())
    if (path := folder.local_path()) is not None and num_documents <= _MOST_MEASURED:
        found.append(_histogram("tokens", {"documents": _token_lengths(str(path), index.digest)}))
    if totals := report.get("totals"):
        parts = {name: totals[name]["lengths"] for name in ("raw", "kept")}
        found.append(_histogram("characters", {"read": parts["raw"], "kept": parts["kept"]}))
    return [each for each in found if each["buckets"]]


@lru_cache(maxsize=16)
def _token_lengths(path: str, digest: str) -> Counter[str]:
    del digest  # a dataset that was made anew in the same place is measured anew
    return token_lengths(Dataset.open(path).splits.values())


def _histogram(unit: str, series: Mapping[str, Mapping[str, int]]) -> Json:
    """Return the counts of each series by bucket, none left out between the shortest and the longest."""
    starts = [int(start) for counts in series.values() for start, count in counts.items() if count]
    powers = range(min(starts).bit_length() - 1, max(starts).bit_length()) if starts else range(0)
    buckets = [
        {
            "from": 1 << power,
            "to": (2 << power) - 1,
            "counts": [counts.get(str(1 << power), 0) for counts in series.values()],
        }
        for power in powers
    ]
    return {"unit": unit, "series": list(series), "buckets": buckets}
