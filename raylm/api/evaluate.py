"""Evaluating checkpoints: what the command line and a program call."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import ValidationError

from raylm.config.errors import BadInput
from raylm.config.near import did_you_mean
from raylm.config.report import Origin, problems_of
from raylm.config.sections import Section, knob
from raylm.recipe import Recipe
from raylm.runs.run import Run
from raylm.tasks import Task

if TYPE_CHECKING:
    from raylm.engine.benchmark import Plan
    from raylm.engine.exam import Exam
    from raylm.engine.examinee import Examinee

    Planner: TypeAlias = Callable[[Examinee], Plan]
    """Says of a checkpoint what will be measured."""

Report = Callable[[float], None]


def _quiet(_share: float) -> None:
    """Tell nobody."""


class Validation(Section):
    """The loss over the run's own validation split."""

    kind: str = "validation"
    limit: int | None = knob(None, ge=1)
    """The most documents of which figures are computed that take one forward pass a token."""

    def planner(self, run: Run, recipe: Recipe) -> Planner:
        from raylm.engine.benchmark import plan_validation

        del recipe
        return lambda examinee: plan_validation(run, examinee, self.limit)


class LmEval(Section):
    """Tasks of EleutherAI's lm-evaluation-harness."""

    kind: str = "lm_eval"
    tasks: tuple[str, ...] = knob(min_length=1)
    """Names of the harness's tasks and groups, or of those in include_path."""
    include_path: tuple[str, ...] = ()
    """Folders with task files (YAML)."""
    limit: int | None = knob(None, ge=1)
    """The most rows of each task."""

    def planner(self, run: Run, recipe: Recipe) -> Planner:
        del run, recipe
        _check_lm_eval()
        from raylm.engine.lm_eval_tasks import plan_tasks

        return lambda examinee: plan_tasks(examinee, self.tasks, self.include_path, self.limit)


class TaskExam(Section):
    """A task of `raylm.tasks`: rows of the run's own, or of files, that the model is to answer."""

    kind: str
    path: str | tuple[str, ...] = ()
    """Files of rows, or patterns; none: rows of the run's own."""
    source: dict[str, Any] = knob({})
    """Fields of the source that reads them, such as {"kind": "conll", "tag_column": 2}."""
    split: Literal["train", "validation", "test"] | None = None
    """Which of the run's own splits; unset: test, or validation where there is none."""
    limit: int | None = knob(None, ge=1)
    """The most rows, drawn by a fixed seed."""
    fields: dict[str, Any] = knob({})
    """Fields of the task; those not given are the run's own, if its task is of that kind."""

    def planner(self, run: Run, recipe: Recipe) -> Planner:
        from raylm.engine.benchmark import plan_task

        exam = self.exam(run, recipe)
        exam.rehearse()
        return lambda examinee: plan_task(examinee, exam)

    def exam(self, run: Run, recipe: Recipe) -> Exam:
        """Return the records to ask about.

        Raises:
            BadInput: they cannot be read, or the model has no head for the task.
        """
        from raylm.engine.exam import own_exam
        from raylm.engine.exam_files import Files, file_exam

        task = self.task(recipe)
        patterns = (self.path,) if isinstance(self.path, str) else self.path
        if patterns and self.split is not None:
            mend = "leave one of the two out"
            raise BadInput.one(
                "split", "is for rows of the run's own, --data names files", mend, code="mixed"
            )
        if patterns:
            return file_exam(run, recipe, task, Files(patterns, self.source, self.limit))
        if recipe.task is None or task.field_names() != recipe.task.field_names() or self.source:
            raise BadInput.one("--data", "is missing", "name files with rows of this task", code="mixed")
        return own_exam(run, recipe, task, self.split, self.limit)

    def task(self, recipe: Recipe) -> Task:
        """Return the task with the fields that are given.

        Raises:
            BadInput: Holds everything that is wrong with them.
        """
        own = {} if recipe.task is None else recipe.task.model_dump()
        same = own if own.get("kind") == self.kind else {"kind": self.kind}
        if not same.keys() - {"kind"}:  # what a recipe would fill in
            follow = Task.kinds[self.kind].follow_sequence_length  # pyright: ignore[reportAttributeAccessIssue] - a task
            same |= dict.fromkeys(follow, recipe.train.sequence_length)
        values = {**same, **self.fields}
        try:
            return Task.model_validate(values)
        except ValidationError as error:
            raise BadInput(*problems_of(error, Task, Origin(values, {}))) from None


def evaluate(
    run: Run,
    task: Mapping[str, Any] | None = None,
    *,
    step: int | None = None,
    name: str | None = None,
    force: bool = False,
    report: Report = _quiet,
) -> dict[str, Any]:
    """Evaluate a run's checkpoint, keep the result in the run and return it.

    Args:
        run: The run.
        task: A kind of `raylm.evaluations` with its fields, such as `{"kind": "minimal_pairs", "path":
            "blimp/*.jsonl.gz"}`; a kind of `raylm.tasks` with fields of its own, `split`, and `path` for rows
            of other files than the run's; or `lm_eval` with `tasks`, which are lm-evaluation-harness's. By
            default the run's own task, or `validation`, the loss over its validation split, if it has none.
        step: The checkpoint; the newest good one by default.
        name: What the result is called; its kind by default.
        force: Whether a result of that name is replaced that has other settings or other data.
        report: Called with the share of the work that is done.

    Raises:
        BadInput: The checkpoint, a setting or a row cannot be used, or a package is missing.
    """
    recipe = Recipe.from_yaml(run.recipe_yaml())  # whose plug-ins may define the task
    plan_of = _planner(task or {}, run, recipe)
    from raylm.engine.benchmark import carry_out
    from raylm.engine.examinee import Examinee

    examinee = Examinee.of(run, step, report)
    plan = plan_of(examinee)
    return carry_out(run, examinee, plan, name or plan.kind, force=force)


def _planner(values: Mapping[str, Any], run: Run, recipe: Recipe) -> Planner:
    """Return what plans what is asked for, of raw values; what needs no model is checked here.

    Raises:
        BadInput: Holds everything that is wrong with them.
    """
    from raylm.evaluations import Evaluation

    usual = "validation" if recipe.task is None else recipe.task.kind  # pyright: ignore[reportAttributeAccessIssue] - every kind has one
    values = {"kind": usual, **values}
    own = {"validation": Validation, "lm_eval": LmEval, **dict.fromkeys(Task.kinds, TaskExam)}
    section = own.get(values["kind"], Evaluation)
    if values["kind"] not in {*own, *Evaluation.kinds}:
        known = sorted({*own, *Evaluation.kinds} - {"lm_eval"})
        mend = did_you_mean(str(values["kind"]), known) or f"raylm has {', '.join(known)}"
        raise BadInput.one("kind", f"{values['kind']} unknown", mend, code="kind")
    if "split" in values and section is not TaskExam:
        mend = "leave it out, or name files: --data FILES"
        raise BadInput.one("split", "is for the rows of a run's own task", mend, code="mixed")
    given = _apart(values) if section is TaskExam else values
    try:
        wanted = section.model_validate(given)
    except ValidationError as error:
        raise BadInput(*problems_of(error, section, Origin(given, {}))) from None
    if isinstance(wanted, Evaluation):
        from raylm.engine.benchmark import plan_evaluation

        return lambda examinee: plan_evaluation(examinee, wanted)
    assert isinstance(wanted, Validation | LmEval | TaskExam), "one of these"
    return wanted.planner(run, recipe)


def _apart(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an exam with the task's own fields in a section of theirs."""
    about = {name: value for name, value in values.items() if name in TaskExam.model_fields}
    rest = {name: value for name, value in values.items() if name not in about}
    return {**about, "fields": {**about.get("fields", {}), **rest}}


def _check_lm_eval() -> None:
    """Import the harness, without the network: nothing is fetched behind a person's back."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"  # read at the first import
    try:
        importlib.import_module("lm_eval")
    except ImportError:
        mend = "pip install 'raylm[evaluate]'"
        raise BadInput.one("--lm-eval", "lm-eval is not installed", mend, code="missing_package") from None
