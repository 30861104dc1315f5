"""The recipe: all that decides what a run computes, composed of sections and read from one YAML file."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from raylm.config import (
    BadInput,
    CheckpointSection,
    EvaluateSection,
    Problem,
    ScalingSection,
    Section,
    TrainSection,
    discover,
    discover_entry_points,
    dump_yaml,
    knob,
    load_plugin,
    load_yaml,
)
from raylm.config.environment import expand, secrets_in, unset_references
from raylm.config.overrides import PLACE, apply_override, read_overrides
from raylm.config.plain import plain_values
from raylm.config.report import Origin, problems_of
from raylm.config.schema import describe_recipe
from raylm.config.source_paths import absolute_paths
from raylm.config.yaml import Document, KeyPath, parse_yaml
from raylm.data.section import DataSection
from raylm.data.shares import weight_problem
from raylm.data.tokenizers import Tokenizer
from raylm.models import ModelFamily
from raylm.objectives import Objective
from raylm.optim.optimizers import Optimizer
from raylm.optim.schedules import Schedule
from raylm.runs.names import check_run_name
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


class Recipe(Section):
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

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = ()) -> Self:
        """Read a YAML file, then lay overrides such as `train.max_steps=100` over it.

        Relative paths in the file are resolved against its folder, then the working directory; those of an
        override the other way round.

        Raises:
            BadInput: holds everything that is wrong with the file and the overrides, each with its place.
        """
        return cls._of_document(load_yaml(path), overrides)

    @classmethod
    def from_yaml(cls, text: str, overrides: Iterable[str] = (), name: str = "recipe.yaml") -> Self:
        """Return the recipe of a file's text, such as one that `to_yaml` wrote; as `load` otherwise."""
        return cls._of_document(parse_yaml(text, name), overrides)

    @classmethod
    def _of_document(cls, document: Document, overrides: Iterable[str]) -> Self:
        path = Path(document.path)
        places = {key: f"{path.name}:{line}" for key, line in document.lines.items()}
        values: Any = document.values
        changes, problems = read_overrides(overrides)
        for change in changes:
            try:
                values = apply_override(values, change)
            except BadInput as error:
                problems += error.problems
                continue
            places = {key: place for key, place in places.items() if key[: len(change.path)] != change.path}
            places[change.path] = PLACE
        return cls._validated(Origin(values, places), path.absolute().parent, problems)

    @classmethod
    def from_values(
        cls, values: Mapping[str, Any], lines: Mapping[KeyPath, int] | None = None, path: str | Path = ""
    ) -> Self:
        """Return the recipe of raw values, such as a form's or a document's.

        Raises:
            BadInput: holds everything that is wrong with the values.
        """
        name = Path(path).name
        places = {key: f"{name}:{line}" for key, line in (lines or {}).items()}
        return cls._validated(
            Origin(values, places), Path(path).absolute().parent if path else Path.cwd(), []
        )

    @classmethod
    def _validated(cls, origin: Origin, folder: Path, problems: list[Problem]) -> Self:
        newer = _format_problem(origin)
        if newer:
            raise BadInput(newer)
        origin = origin._replace(values=expand(origin.values, os.environ))
        problems = [*problems, *secrets_in(origin), *unset_references(origin)]
        if not problems:  # a path with an unset variable in it leads nowhere
            origin = origin._replace(values=absolute_paths(origin, folder))
            problems = _load_plugins(origin)
        try:
            recipe = cls.model_validate(origin.values)
        except ValidationError as error:
            raise BadInput(*problems_of(error, cls, origin, problems)) from None
        problems += _located(recipe.rule_problems(), origin)
        if problems:
            raise BadInput(*problems)
        return recipe

    def rule_problems(self) -> list[Problem]:
        """Return what is wrong between fields that are each right on their own."""
        return [problem for rule in _RULES for problem in rule(self)]

    def to_yaml(self) -> str:
        """Return the whole recipe, defaults included, as YAML that `load` reads back to an equal recipe."""
        return dump_yaml(plain_values(self))

    def digest(self) -> str:
        """Return the sha256 of the recipe's canonical JSON, in hexadecimal."""
        return sha256(canonical_json(self.model_dump(mode="json")).encode()).hexdigest()

    @classmethod
    def schema(cls) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride] - a name pydantic left
        """Return every field with its type, limits, unit and help, as a form needs them."""
        return describe_recipe(cls)


def canonical_json(values: Any) -> str:
    """Return JSON that is the same text for equal values: sorted keys, no blanks."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _format_problem(origin: Origin) -> Problem | None:
    number = origin.values.get("format")
    if not isinstance(number, int) or number <= FORMAT:
        return None
    message = f"{number} is newer than the {FORMAT} that this raylm reads"
    return Problem("format", message, "pip install --upgrade raylm", origin.place(("format",)), "format")


def _load_plugins(origin: Origin) -> list[Problem]:
    paths = origin.values.get("plugins")
    problems: list[Problem] = []
    for path in paths if isinstance(paths, list) else []:
        try:
            load_plugin(str(path))
        except BadInput as error:
            problems += _located(error.problems, origin)
    return problems


def _located(problems: Iterable[Problem], origin: Origin) -> list[Problem]:
    return [
        replace(problem, location=problem.location or origin.place(tuple(problem.field.split("."))))
        for problem in problems
    ]


def _name_rule(recipe: Recipe) -> Iterable[Problem]:
    try:
        check_run_name(recipe.name)
    except BadInput as error:
        yield from error.problems


def _batch_rule(recipe: Recipe) -> Iterable[Problem]:
    try:
        recipe.train.micro_batch(max(1, recipe.scaling.num_workers))
    except BadInput as error:
        yield from error.problems


def _warmup_rule(recipe: Recipe) -> Iterable[Problem]:
    warmup, decay = recipe.schedule.warmup_steps, recipe.schedule.decay_steps
    limit, steps = _known_steps(recipe)
    if steps is not None and warmup > steps:
        message = f"{warmup} is more than the run's {steps} steps ({limit})"
        yield Problem("schedule.warmup_steps", message, f"try {steps // 20}", code="warmup")
    if decay is not None and decay <= warmup:
        message = f"{decay} must be more than schedule.warmup_steps ({warmup})"
        yield Problem("schedule.decay_steps", message, code="decay")


def _period_rules(recipe: Recipe) -> Iterable[Problem]:
    limit, steps = _known_steps(recipe)
    for name, section in (("checkpoint", recipe.checkpoint), ("evaluate", recipe.evaluate)):
        period = section.every_steps
        # A default period longer than a short run is no mistake of the person's.
        is_chosen = period != type(section).model_fields["every_steps"].default
        if steps is not None and period is not None and is_chosen and period > steps:
            message = f"{period} is more than the run's {steps} steps ({limit})"
            yield Problem(f"{name}.every_steps", message, f"try {max(1, steps // 4)}", code="period")


def _rate_rule(recipe: Recipe) -> Iterable[Problem]:
    lowest, peak = recipe.schedule.min_learning_rate, recipe.optimizer.learning_rate
    if lowest > peak:
        message = f"{lowest:g} is more than optimizer.learning_rate ({peak:g})"
        yield Problem("schedule.min_learning_rate", message, f"try {peak / 10:g}", code="learning_rate")


def _target_rule(recipe: Recipe) -> Iterable[Problem]:
    if recipe.train.target_loss is None:
        return
    if recipe.evaluate.every_steps is None:
        message = "compares eval/loss, which is computed at the end only"
        yield Problem("train.target_loss", message, "give evaluate.every_steps", code="target_loss")
    if recipe.data.path is None and not recipe.data.validation_share:
        message = "compares eval/loss, but data.validation_share is 0"
        yield Problem("train.target_loss", message, "try data.validation_share=0.1", code="target_loss")


def _weight_rule(recipe: Recipe) -> Iterable[Problem]:
    # A given dataset may hold sources that the recipe does not list: it is checked when it is opened.
    problem = None if recipe.data.path else weight_problem(recipe.data)
    if problem is not None:
        yield problem


def _known_steps(recipe: Recipe) -> tuple[str, int | None]:
    """Return the field that limits the run and its steps; None while the number of rows decides."""
    train = recipe.train
    if train.epochs is not None:
        return "train.epochs", None
    return "train.max_steps" if train.max_steps else "train.max_tokens", train.num_steps(num_rows=0)


_RULES = (_name_rule, _batch_rule, _warmup_rule, _period_rules, _rate_rule, _target_rule, _weight_rule)
