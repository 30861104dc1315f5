"""Evaluations of a run's checkpoint, and the files in the run that keep their results.

A result lies in `evaluations/step-<8 digits>/<name>.json`. Measured again with the same settings on the same
files it is replaced; with others only when asked to.
"""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from raylm.config.errors import BadInput
from raylm.engine.exam import Exam, OwnData
from raylm.engine.examinee import Examinee
from raylm.engine.task_evaluation import evaluate_task
from raylm.engine.validation import NAME, validate
from raylm.evaluations import Evaluation, Result
from raylm.runs.names import check_run_name
from raylm.runs.run import Run


class Plan(NamedTuple):
    """What is to be measured, said before it is: two results with the same plan are of the same thing."""

    kind: str
    settings: Mapping[str, Any]
    data: Mapping[str, str]
    """The sha256 of each file by its name."""
    measure: Callable[[], Result]

    def differences(self, record: Mapping[str, Any]) -> list[str]:
        """Return in what an earlier record is of something else."""
        mine = {"kind": self.kind, "settings": dict(self.settings), "data": sorted(self.data.values())}
        old = {
            **record,
            "data": sorted((record.get("data") or {}).values()),
        }  # where files lie does not matter
        return [name for name, value in mine.items() if old.get(name) != value]


def plan_evaluation(examinee: Examinee, evaluation: Evaluation) -> Plan:
    """Return the plan of an evaluation.

    Raises:
        BadInput: its files cannot be read.
    """
    settings = evaluation.model_dump(mode="json", exclude={"kind", "path"}) | evaluation.plugin()
    return Plan(
        kind=evaluation.kind,  # pyright: ignore[reportAttributeAccessIssue] - every kind has one
        settings=settings,
        data={item.name: evaluation.digest(item, _ignore) for item in evaluation.inputs()},
        measure=lambda: evaluation.run(examinee),
    )


def plan_validation(run: Run, examinee: Examinee, limit: int | None) -> Plan:
    """Return the plan of the loss over the run's own validation split.

    Raises:
        BadInput: its texts are gone, or are others than the checkpoint was trained beside.
    """
    own = OwnData.of(run, examinee.recipe)
    if own.plan != examinee.data_digest:
        raise _changed("the validation split is another one", "--task text")
    return Plan(NAME, {"limit": limit}, {own.uri: own.plan}, lambda: validate(examinee, own.dataset, limit))


def plan_task(examinee: Examinee, exam: Exam) -> Plan:
    """Return the plan of the evaluation of a task.

    Raises:
        BadInput: it asks for rows of the run's own, and they are others than when it was trained.
    """
    kind = exam.task.kind  # pyright: ignore[reportAttributeAccessIssue] - every kind has one
    if exam.own is not None and exam.own.plan != examinee.data_digest:
        if exam.is_own:
            raise _changed("the run's rows are others", f"--task {kind}")
        note = "there are no baselines, as the run's training rows are no longer those of the checkpoint"
        exam = exam._replace(own=None, notes=(*exam.notes, note))
    return Plan(kind, exam.settings, exam.data, lambda: evaluate_task(examinee, exam))


def _changed(what: str, task: str) -> BadInput:
    message = f"{what} than the checkpoint was trained beside"
    mend = f"bring the old texts and settings back, or name files: {task} --data FILES"
    return BadInput.one("data", message, mend, code="data_changed")


def carry_out(run: Run, examinee: Examinee, plan: Plan, name: str, *, force: bool) -> dict[str, Any]:
    """Measure, keep the record in the run and return it.

    Raises:
        BadInput: a result of that name is of something else and `force` is not given, or a row is bad.
    """
    check_name(run, examinee.step, plan, name, force=force)
    start = time.monotonic()
    result = plan.measure().to_json()
    record = {
        "name": name,
        "kind": plan.kind,
        "run_id": run.run_id,
        "step": examinee.step,
        "settings": dict(plan.settings),
        "data": dict(plan.data),
        "is_pseudo_likelihood": examinee.predicts_tokens and not examinee.scores_in_order,
        **result,
        "raylm": importlib.metadata.version("raylm"),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(time.monotonic() - start, 3),
    }
    run.folder.write(
        result_path(examinee.step, name), json.dumps(record, indent=1, ensure_ascii=False).encode()
    )
    return record


def check_name(run: Run, step: int, plan: Plan, name: str, *, force: bool) -> None:
    """Refuse a name that is not allowed, or that a result of something else has."""
    check_run_name(name, "--name")
    old = read_result(run, step, name)
    changed = [] if old is None or force else plan.differences(old)
    if changed:
        message = f"{name} of step {step} is there, with other {' and '.join(changed)}"
        raise BadInput.one("--name", message, "choose another name, or add --force", code="exists")


def read_result(run: Run, step: int, name: str) -> dict[str, Any] | None:
    """Return a result that was kept; None where there is none."""
    path = result_path(step, name)
    return json.loads(run.folder.read(path)) if run.folder.exists(path) else None


def result_path(step: int, name: str) -> str:
    """Return where a result lies in the run."""
    return f"evaluations/step-{step:08d}/{name}.json"


def _ignore(_num_bytes: int) -> None:
    """Digests of small files need no progress."""
