"""What decides which tokens stand at a global sample index; a cursor means nothing under another plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from raylm.data.mixture import Order, Share, order_of
from raylm.data.packing import Packing
from raylm.data.section import DataSection
from raylm.data.shards import Dataset
from raylm.data.shares import shares_of

_MEANING = {
    "dataset": "the prepared data",
    "packing": "the packing",
    "mixture": "the mixture",
    "sequence_length": "train.sequence_length",
    "seed": "train.seed",
}
_DIGEST_LENGTH = 12


def data_plan(dataset: Dataset, data: DataSection, sequence_length: int, seed: int) -> dict[str, Any]:
    """Return the plan as plain values: the dataset's digest, how it is packed and how it is mixed."""
    shares = shares_of(data, dataset.source_names)
    return {
        "dataset": dataset.digest,
        "packing": dataset.packing._asdict(),
        "mixture": {name: list(share) for name, share in shares.items() if any(share)},
        "sequence_length": sequence_length,
        "seed": seed,
    }


def packing_of(plan: Mapping[str, Any]) -> Packing:
    """Return the packing that a plan was made with."""
    return Packing(**plan["packing"])


def order_of_plan(plan: Mapping[str, Any], names: Sequence[str], source_rows: Sequence[int]) -> Order:
    """Return the order in which a plan draws the rows of these sources."""
    shares = [Share(*plan["mixture"].get(name, ())) for name in names]
    return order_of(source_rows, shares, plan["seed"])


def plan_digest(plan: Mapping[str, Any]) -> str:
    """Return the sha256 of a plan."""
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return what differs between a checkpoint's plan and this one, for a person to read."""
    return "; ".join(
        f"{meaning} is {_part(new.get(name), old.get(name))}, "
        f"the checkpoint's was {_part(old.get(name), new.get(name))}"
        for name, meaning in _MEANING.items()
        if old.get(name) != new.get(name)
    )


def _part(value: Any, other: Any) -> str:
    """Return a value as text; of a mapping only what the other one does not hold too."""
    if not isinstance(value, Mapping):
        return _shown(value)
    same = other if isinstance(other, Mapping) else {}
    parts = [f"{name} {_shown(part)}" for name, part in value.items() if same.get(name) != part]
    return ", ".join(parts) or "none"


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        weight, max_epochs = value  # a share
        limit = [] if max_epochs is None else [f"{max_epochs:g} epochs at most"]
        return " and ".join([*([] if weight is None else [f"{weight:g}"]), *limit])
    return value[:_DIGEST_LENGTH] if isinstance(value, str) else str(value)
