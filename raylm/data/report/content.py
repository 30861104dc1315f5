"""report.json's content: what the facts of a preparation add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from raylm.data.tally import Facts, Filtering, Reading, Size, SourceFacts

FORMAT = 1


def describe(facts: Facts) -> dict[str, Any]:
    """Return the counts of a preparation, as plain values."""
    filters = [_filter(facts, number) for number in range(len(facts.filters))]
    return {
        "format": FORMAT,
        "digest": facts.digest,
        "tokenizer": dict(facts.tokenizer),
        "vocab_size": facts.vocab_size,
        "totals": _totals(facts.sources),
        "exact_duplicates": _dropped_by("exact_duplicates", filters),
        "near_duplicates": _dropped_by("near_duplicates", filters),
        "contaminated": _dropped_by("decontamination", filters),
        "personal_data": _found_by("personal_data", filters),
        "languages": _found_by("language", filters),
        "licences": _licences(facts.sources),
        "sources": [_source(source, facts.filters) for source in facts.sources],
        "filters": filters,
        "notes": list(facts.notes),
    }


def _totals(sources: Sequence[SourceFacts]) -> dict[str, Any]:
    raw, kept, reading = Size(), Size(), Reading()
    for source in sources:
        raw.add(source.raw)
        kept.add(source.kept)
        reading.add(source.reading)
    return {
        "inputs": sum(source.inputs for source in sources),
        "reading": reading.to_json(),
        "raw": raw.to_json(),
        "kept": kept.to_json(),
        "documents": _sum(source.documents for source in sources),
        "tokens": _sum(source.tokens for source in sources),
    }


def _source(source: SourceFacts, filters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    settings = dict(source.settings)
    return {
        "name": source.name,
        "kind": settings.get("kind", ""),
        **{name: settings.get(name, "") for name in ("licence", "origin", "retrieved")},
        "digest": source.digest,
        "inputs": source.inputs,
        "reading": source.reading.to_json(),
        "raw": source.raw.to_json(),
        "kept": source.kept.to_json(),
        "documents": dict(source.documents),
        "tokens": dict(source.tokens),
        "unlearned": source.unlearned.to_json(),
        "filters": [
            {"kind": each.get("kind", ""), **counts.to_json()}
            for each, counts in zip(filters, source.filtering, strict=True)
        ],
        "settings": settings,
    }


def _filter(facts: Facts, number: int) -> dict[str, Any]:
    """Return what one filter did to all sources together."""
    settings = dict(facts.filters[number])
    counts = Filtering()
    for source in facts.sources:
        counts.add(source.filtering[number])
    return {
        "kind": settings.pop("kind", ""),
        **counts.to_json(),
        "kept": counts.documents - counts.dropped.total(),
        "settings": settings,
    }


def _dropped_by(kind: str, filters: Iterable[Mapping[str, Any]]) -> int | None:
    """Return the documents that filters of a kind dropped; None: the recipe has none of them."""
    counts = [sum(each["dropped"].values()) for each in filters if each["kind"] == kind]
    return sum(counts) if counts else None


def _found_by(kind: str, filters: Iterable[Mapping[str, Any]]) -> dict[str, int] | None:
    """Return what filters of a kind found, most frequent first; None: the recipe has none of them."""
    counts = [each["found"] for each in filters if each["kind"] == kind]
    return dict(_ranked(_sum(counts))) if counts else None


def _licences(sources: Sequence[SourceFacts]) -> dict[str, dict[str, Any]]:
    """Return what each licence covers of the kept texts, most tokens first."""
    found: dict[str, dict[str, Any]] = {}
    for source in sources:
        entry = found.setdefault(
            str(source.settings.get("licence") or "unknown"),
            {"sources": [], "documents": 0, "bytes": 0, "tokens": 0},
        )
        entry["sources"].append(source.name)
        entry["documents"] += source.kept.documents
        entry["bytes"] += source.kept.bytes
        entry["tokens"] += sum(source.tokens.values())
    return dict(sorted(found.items(), key=lambda item: (-item[1]["tokens"], item[0])))


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
