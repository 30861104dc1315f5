"""What is asked in the evaluation of a task: records, and what the model learned them from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from raylm.config.choice import Choice
from raylm.config.errors import BadInput
from raylm.data.data_plan import data_plan, plan_digest
from raylm.data.fetch import fetch
from raylm.data.packing import Packing
from raylm.data.prepare import prepare
from raylm.data.shards import Dataset, Split
from raylm.evaluations import sampled
from raylm.objectives import Objective
from raylm.recipe import Recipe
from raylm.runs.run import Run
from raylm.tasks import Record, Task

_REHEARSED = 20  # training rows


@dataclass(frozen=True)
class Records:
    """The records of a split, each read when it is its turn."""

    split: Split

    def __iter__(self) -> Iterator[Record]:
        return map(self.split.record, range(self.split.num_records))


class OwnData(NamedTuple):
    """The prepared data of a run."""

    uri: str
    dataset: Dataset
    plan: str
    """The digest that the run's checkpoints have beside them, if this is what they were trained on."""

    @classmethod
    def of(cls, run: Run, recipe: Recipe) -> OwnData:
        """Return the data of a run, made again if it is not there.

        Raises:
            BadInput: the texts that it is made of are gone.
        """
        uri = prepare(recipe.data, recipe.tokenizer, run.storage, lesson=recipe.lesson).uri
        dataset = Dataset.open(fetch(uri, recipe.data.cache_path), Packing.of(recipe.data))
        plan = data_plan(dataset, recipe.data, recipe.train.sequence_length, recipe.train.seed)
        return cls(uri, dataset, plan_digest(plan))


class Exam(NamedTuple):
    """Records to ask a model about, and what is to be known of them."""

    task: Task
    objective: Objective
    """That reads them."""
    records: Sequence[Record]
    places: Sequence[str]
    """Where each record stands: `file:line`, or the split and its number in it."""
    settings: Mapping[str, Any]
    data: Mapping[str, str]
    """The sha256 of each file by its name."""
    own: OwnData | None = None
    """The run's own data, which baselines learn from; None where it holds no rows of the task."""
    is_own: bool = True
    """Whether the records are of that data, which must then be what the model was trained beside."""
    notes: tuple[str, ...] = ()

    @property
    def train(self) -> Records | None:
        """What the model learned from."""
        return None if self.own is None else Records(self.own.dataset.splits["train"])

    def rehearse(self) -> None:
        """Judge a baseline's answer to one record, as all that can be missing then is missed now.

        Raises:
            BadInput: a package is not installed.
        """
        first = self.records[:1]
        some = [record for record, _ in zip(self.train or (), range(_REHEARSED), strict=False)]
        for answers in self.task.baselines(some, first).values() if some else ():
            self.task.judge(first, answers)

    def check_labels(self, labels: Sequence[str]) -> None:
        """Refuse records that the model has no label for; `labels` are those it has, none if any will do.

        Raises:
            BadInput: names the label and where it stands.
        """
        known = set(labels)
        for record, place in zip(self.records, self.places, strict=True):
            unknown = [name for name in self.task.label_names(record) if known and name not in known]
            if unknown:
                message = f"label {unknown[0]!r}: the model knows {', '.join(labels[:10])}"
                message += f" and {len(labels) - 10} more" if len(labels) > 10 else ""  # noqa: PLR2004 - a line's worth
                raise BadInput.one("task", message, "correct the row, or leave it out", place, "label")


def own_exam(run: Run, recipe: Recipe, task: Task, split: str | None, limit: int | None) -> Exam:
    """Return the records of a split of the run's own; if none is named test, else validation.

    Raises:
        BadInput: the run has no such split, or its data is gone.
    """
    objective = objective_for(task, recipe)
    own = OwnData.of(run, recipe)
    there = {name: each for name, each in own.dataset.splits.items() if each.num_records}
    name = split or ("test" if "test" in there else "validation")
    if name not in there:
        mend = f"it has {' and '.join(there)}; data.{name}_share makes one"
        raise BadInput.one("split", f"{run.run_id} has no {name} split", mend, code="split")
    numbers = sampled(range(there[name].num_records), limit)
    return Exam(
        task=task,
        objective=objective,
        records=[there[name].record(number) for number in numbers],
        places=[f"{name}:{number + 1}" for number in numbers],
        settings={**task.settings(), "split": name, "limit": limit},
        data={own.uri: own.plan},
        own=own,
        notes=_about(name, is_chosen=split is not None),
    )


def _about(split: str, *, is_chosen: bool) -> tuple[str, ...]:
    """Return what a reader must know of the rows of a split."""
    if split == "train":
        return ("these are rows that the model learned from",)
    if split == "test":
        return ()
    why = "" if is_chosen else "the run has no test split: "
    return (f"{why}this is the validation split, by which a checkpoint may have been chosen",)


def own_task(recipe: Recipe, task: Task) -> Task | None:
    """Return the run's own task if its rows are what another of its kind, with fields of its own, reads."""
    is_alike = recipe.task is not None and type(recipe.task) is type(task)
    return recipe.task if is_alike and objective_for(task, recipe) is recipe.objective else None


def objective_for(task: Task, recipe: Recipe) -> Objective:
    """Return the objective by which the model of a run answers a task: its own if that learns it.

    A model that predicts tokens reads the rows of any task that needs the same head.

    Raises:
        BadInput: the model has another head than the task needs; says what fits.
    """
    found = _fitting(type(task), task.model_dump(), recipe.objective)
    if found is not None:
        return found
    is_own = recipe.task is not None and _kind(recipe.task) == _kind(task)
    message = f"a model of {_kind(recipe.objective)} does not answer {_kind(task)}"
    message += " with these fields" if is_own else ""
    fits = [
        name
        for name, kind in Task.kinds.items()
        if is_own or (issubclass(kind, Task) and _fitting(kind, {}, recipe.objective))
    ]
    mend = "leave out those that say what an answer is" if is_own else f"it answers {', '.join(fits)}"
    raise BadInput.one("--task", message, mend if fits else "", code="fit")


def _fitting(kind: type[Task], values: Mapping[str, Any], own: Objective) -> Objective | None:
    usual = kind.usual_objectives(values)
    if _kind(own) in usual:
        return own
    classes = [each for name in usual if issubclass(each := Objective.kinds[name], Objective)]
    same = [each for each in classes if own.predicts_tokens and each.head == own.head]
    return same[0]() if same else None


def _kind(choice: Choice) -> str:
    return choice.kind  # pyright: ignore[reportAttributeAccessIssue] - every kind has one
