"""The sections of a recipe and their kinds: all that decides what a run computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from raylm.config import (
    CheckpointSection,
    EvaluateSection,
    ScalingSection,
    Section,
    TrainSection,
    discover,
    discover_entry_points,
    knob,
)
from raylm.data.section import DataSection
from raylm.data.tokenizers import Tokenizer
from raylm.models import ModelFamily
from raylm.objectives import Objective
from raylm.optim.optimizers import Optimizer
from raylm.optim.schedules import Schedule
from raylm.trackers import Tracker

FORMAT = 1  # of the recipe file; rises when an old raylm would misread a new file

FAMILIES = (
    "raylm.models",
    "raylm.objectives",
    "raylm.data.sources",
    "raylm.data.filters",
    "raylm.data.tokenizers",
    "raylm.optim.optimizers",
    "raylm.optim.schedules",
    "raylm.trackers",
)
for _package in FAMILIES:
    discover(_package)
discover_entry_points()


class Sections(Section):
    """One run, whole: model, data, objective, optimizer, length, workers."""

    format: int = knob(FORMAT, ge=1, advanced=True)
    """Version of this file's format."""
    name: str
    """Name of the run: letters, digits, `.`, `_` and `-`."""
    storage: str | None = knob(None, advanced=True)
    """Where the run is stored: a folder or an address such as s3://...; unset: your own default."""
    plugins: tuple[str, ...] = knob((), advanced=True)
    """Python files of your own that define kinds."""
    model: ModelFamily
    tokenizer: Tokenizer
    data: DataSection
    objective: Objective
    optimizer: Optimizer
    schedule: Schedule
    train: TrainSection
    scaling: ScalingSection = ScalingSection()
    checkpoint: CheckpointSection = CheckpointSection()
    evaluate: EvaluateSection = EvaluateSection()
    trackers: tuple[Tracker, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _usual_tokenizer(cls, values: Any) -> Any:
        """Fill in the tokenizer that the model's family is used with, where the recipe leaves it open."""
        model = values.get("model") if isinstance(values, dict) else None
        if not isinstance(model, dict):
            return values
        family = ModelFamily.kinds.get(str(model.get("kind")))
        if family is None:
            return values
        assert issubclass(family, ModelFamily)
        return values | {"tokenizer": _completed(values.get("tokenizer"), family.usual_tokenizer(model))}


def _completed(given: Any, usual: Mapping[str, str]) -> Any:
    """Return the tokenizer section with what is usual for the family where it says nothing of it."""
    if given is None or (isinstance(given, dict) and "kind" not in given):
        return {**usual, **(given or {})}
    kind = Tokenizer.kinds.get(str(given.get("kind"))) if isinstance(given, dict) else None
    is_open = kind is not None and "special_tokens" in kind.model_fields and "special_tokens" not in given
    return (
        {**given, "special_tokens": usual["special_tokens"]}
        if is_open and "special_tokens" in usual
        else given
    )
