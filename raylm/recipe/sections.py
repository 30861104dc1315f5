"""The sections of a recipe and their kinds: all that decides what a run computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from raylm.adapters import Adapter
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
from raylm.data.row_task import Lesson
from raylm.data.section import DataSection
from raylm.data.tokenizers import Tokenizer
from raylm.models import ModelFamily
from raylm.objectives import Objective
from raylm.optim.optimizers import Optimizer
from raylm.optim.schedules import Schedule
from raylm.recipe.init import InitSection
from raylm.recipe.task_defaults import with_usual
from raylm.tasks import Task
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
    "raylm.tasks",
    "raylm.adapters",
)
for _package in FAMILIES:
    discover(_package)
discover_entry_points()


_OPTIONAL = ("init", "task", "adapter")


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
    init: InitSection | None = None
    """The weights that the run begins with; unset: random ones."""
    tokenizer: Tokenizer
    data: DataSection
    task: Task | None = None
    """What is learned of rows that have answers; unset: the objective learns from texts."""
    objective: Objective
    adapter: Adapter | None = None
    """Few weights that are trained in place of all; unset: all are."""
    optimizer: Optimizer
    schedule: Schedule
    train: TrainSection
    scaling: ScalingSection = ScalingSection()
    checkpoint: CheckpointSection = CheckpointSection()
    evaluate: EvaluateSection = EvaluateSection()
    trackers: tuple[Tracker, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, values: Any) -> Any:
        """Fill in what the recipe leaves open: the model family's tokenizer, the task's ways with data."""
        if isinstance(values, dict):  # a form leaves an empty section behind of what it took out
            values = {name: None if name in _OPTIONAL and not each else each for name, each in values.items()}
        model = values.get("model") if isinstance(values, dict) else None
        family = ModelFamily.kinds.get(str(model.get("kind"))) if isinstance(model, dict) else None
        if family is None or not isinstance(model, dict):
            return values
        assert issubclass(family, ModelFamily)
        completed = _completed(values.get("tokenizer"), family.usual_tokenizer(model))
        return with_usual({**values, "tokenizer": completed}, family)

    @property
    def lesson(self) -> Lesson | None:
        """The task and the objective that learns it, for whoever prepares the data."""
        if self.task is None:
            return None
        kind = self.objective.kind  # pyright: ignore[reportAttributeAccessIssue] - every kind has one
        is_cut = self.objective.keeps_documents_apart and self.data.long_documents == "truncate"
        length = self.train.sequence_length if is_cut else None
        return Lesson(self.task, kind, self.objective.target_dtype, length)


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
