"""The ledger of a dataset: whose texts are in it, under which licence, and what the filters took out of them.

It travels with the data: into the dataset's folder, the run's record, each checkpoint and the model card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from raylm.data.tally import Facts, SourceFacts
from raylm.runs.folder import Folder

FORMAT = 1
NAME = "ledger.json"
UNLEARNED = "cut_off_before_answer"
"""Why documents are left out that no filter dropped: a row ends before what is to be learned."""


def build_ledger(facts: Facts) -> dict[str, Any]:
    """Return the ledger as plain values; counts are of what is left in the end, unless named `read`."""
    kinds = [str(each.get("kind", "")) for each in facts.filters]
    return {
        "format": FORMAT,
        "digest": facts.digest,
        "tokenizer": dict(facts.tokenizer),
        "vocab_size": facts.vocab_size,
        "filters": kinds,
        "sources": [_entry(source, kinds) for source in facts.sources],
    }


def _entry(source: SourceFacts, kinds: list[str]) -> dict[str, Any]:
    settings = source.settings
    return {
        "name": source.name,
        "kind": settings.get("kind", ""),
        "licence": settings.get("licence") or "unknown",
        "origin": settings.get("origin", ""),
        "retrieved": settings.get("retrieved", ""),
        "digest": source.digest,
        "inputs": source.inputs,
        "read": {"documents": source.raw.documents, "bytes": source.raw.bytes},
        "documents": source.kept.documents - source.unlearned.documents,
        "bytes": source.kept.bytes - source.unlearned.bytes,
        "tokens": dict(source.tokens),
        "removed": {
            **_by_filter(kinds, [counts.dropped for counts in source.filtering]),
            **({"task": {UNLEARNED: source.unlearned.documents}} if source.unlearned.documents else {}),
        },
        "removed_bytes": sum(counts.dropped_bytes for counts in source.filtering) + source.unlearned.bytes,
        "changed": _by_filter(kinds, [counts.changed for counts in source.filtering]),
    }


def _by_filter(kinds: list[str], counts: list[Any]) -> dict[str, dict[str, int]]:
    """Return documents by filter and reason; filters that did nothing are left out."""
    found: dict[str, dict[str, int]] = {}
    for kind, reasons in zip(kinds, counts, strict=True):
        for reason, count in sorted(reasons.items()):
            if count:
                mine = found.setdefault(kind, {})
                mine[reason] = mine.get(reason, 0) + count
    return found


def read_ledger(folder: Folder) -> dict[str, Any] | None:
    """Return a dataset's ledger; None where there is none that this raylm can read."""
    try:
        ledger = json.loads(folder.read(NAME))
    except (OSError, ValueError):
        return None
    return ledger if isinstance(ledger, dict) and ledger.get("format") == FORMAT else None


def earlier_ledgers(facts: Mapping[str, Any], ledger: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the ledgers of what a checkpoint had learned from before it goes on with another one's data.

    Args:
        facts: the checkpoint's, from its manifest.
        ledger: of the data from here on.
    """
    before: list[dict[str, Any]] = list(facts.get("earlier_ledgers") or ())
    last = facts.get("ledger")
    if last and (ledger is None or last["digest"] != ledger["digest"]):
        before.append(last)
    return before


def removed_documents(entry: Mapping[str, Any]) -> int:
    """Return how many documents of a ledger's source were taken out."""
    return sum(sum(reasons.values()) for reasons in entry["removed"].values())
