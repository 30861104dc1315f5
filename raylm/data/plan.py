"""All that decides a dataset, as one digest: the inputs' content and the settings, never where files lie."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256

from raylm.data.extract import Stored, named
from raylm.data.index import FORMAT
from raylm.data.progress import Meter
from raylm.data.row_task import Lesson
from raylm.data.section import DataSection
from raylm.data.tokenizers import Tokenizer

# In the ledger, or what is refused: a mended licence, or a stricter policy, is not ignored.
_ABOUT = {"licence", "origin", "retrieved", "on_bad_row", "max_bad_rows"}
_SPLIT = {"validation_share", "test_share", "split_by", "split_seed", "on_overlap"}

Inventory = Sequence[Sequence[Stored]]


def take_inventory(data: DataSection, meter: Meter) -> Inventory:
    """Return every input of every source with the digest of its content."""
    listed = []
    for number, source in enumerate(data.sources):
        with named(number):
            listed.append(source.inputs())
    meter.begin("checking files", sum(item.num_bytes for inputs in listed for item in inputs))
    found = []
    for number, (source, inputs) in enumerate(zip(data.sources, listed, strict=True)):
        with named(number):
            found.append(
                [Stored(item, source.stamp(item), source.digest(item, meter.add)) for item in inputs]
            )
    meter.end()
    return found


def plan_digest(
    data: DataSection, tokenizer: Tokenizer, inventory: Inventory, lesson: Lesson | None = None
) -> str:
    """Return a digest of all that decides the dataset: the inputs' content, never their names."""
    facts = {
        "format": FORMAT,
        "sources": [
            {**source.settings(), "split": source.split, "inputs": [stored.sha256 for stored in inputs]}
            for source, inputs in zip(data.sources, inventory, strict=True)
        ],
        "names": data.source_names(),
        "about": [source.model_dump(mode="json", include=_ABOUT) for source in data.sources],
        "filters": [each.settings() for each in data.filters],
        "split": data.model_dump(mode="json", include=_SPLIT),
        "tokenizer": tokenizer.settings(),
        "task": None if lesson is None else lesson.settings(),
    }
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
