"""Evaluating checkpoints: what the command line and a program call."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from raylm.config.errors import BadInput
from raylm.config.report import Origin, problems_of
from raylm.config.sections import Section, knob
from raylm.recipe import Recipe
from raylm.runs.run import Run

if TYPE_CHECKING:
    from raylm.engine.benchmark import Plan
    from raylm.engine.examinee import Examinee

Report = Callable[[float], None]


def _quiet(_share: float) -> None:
    """Tell nobody."""


class Validation(Section):
    """The loss over the run's own validation split."""

    kind: str = "validation"
    limit: int | None = knob(None, ge=1)
    """The most documents of which figures are computed that take one forward pass a token."""

    def plan(self, run: Run, examinee: Examinee) -> Plan:
        from raylm.engine.benchmark import plan_validation

        return plan_validation(run, examinee, self.limit)


class LmEval(Section):
    """Tasks of EleutherAI's lm-evaluation-harness."""

    kind: str = "lm_eval"
    tasks: tuple[str, ...] = knob(min_length=1)
    """Names of the harness's tasks and groups, or of those in include_path."""
    include_path: tuple[str, ...] = ()
    """Folders with task files (YAML)."""
    limit: int | None = knob(None, ge=1)
    """The most rows of each task."""

    def plan(self, run: Run, examinee: Examinee) -> Plan:
        del run
        from raylm.engine.lm_eval_tasks import plan_tasks

        return plan_tasks(examinee, self.tasks, self.include_path, self.limit)


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
            "blimp/*.jsonl.gz"}`; or `lm_eval` with `tasks`, which are lm-evaluation-harness's; by default
            `validation`, the loss over the run's own validation split.
        step: The checkpoint; the newest good one by default.
        name: What the result is called; its kind by default.
        force: Whether a result of that name is replaced that has other settings or other data.
        report: Called with the share of the work that is done.

    Raises:
        BadInput: The checkpoint, a setting or a row cannot be used, or a package is missing.
    """
    Recipe.from_yaml(run.recipe_yaml())  # whose plug-ins may define the task
    wanted = _checked(task or {})
    if isinstance(wanted, LmEval):
        _check_lm_eval()
    from raylm.engine.benchmark import carry_out, plan_evaluation
    from raylm.engine.examinee import Examinee

    examinee = Examinee.of(run, step, report)
    is_own = isinstance(wanted, Validation | LmEval)
    plan = wanted.plan(run, examinee) if is_own else plan_evaluation(examinee, wanted)
    return carry_out(run, examinee, plan, name or plan.kind, force=force)


def _checked(values: Mapping[str, Any]) -> Any:
    """Return what is to be done, of raw values.

    Raises:
        BadInput: Holds everything that is wrong with them.
    """
    from raylm.evaluations import Evaluation

    kinds = {"validation": Validation, "lm_eval": LmEval}
    section = kinds.get(values.get("kind", "validation"), Evaluation)
    try:
        return section.model_validate(dict(values))
    except ValidationError as error:
        raise BadInput(*problems_of(error, section, Origin(values, {}))) from None


def _check_lm_eval() -> None:
    """Import the harness, without the network: nothing is fetched behind a person's back."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"  # read at the first import
    try:
        importlib.import_module("lm_eval")
    except ImportError:
        mend = "pip install 'raylm[evaluate]'"
        raise BadInput.one("--lm-eval", "lm-eval is not installed", mend, code="missing_package") from None
