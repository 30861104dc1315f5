"""What a run that has a checkpoint cannot take: told before a launch is claimed."""

from __future__ import annotations

from raylm.config.errors import BadInput, Problem
from raylm.recipe import Recipe
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.run import Run

# Fields of a model or a tokenizer that a checkpoint does not hold: a folder may have moved, too.
_MAY_CHANGE = ("dropout", "path", "initializer_range", "has_fresh_weights")


def check_same_model(before: Recipe, now: Recipe, step: int) -> None:
    """Refuse another model or tokenizer than the one whose checkpoint a run goes on from.

    Raises:
        BadInput: Holds every field that differs.
    """
    problems = []
    for section in ("model", "tokenizer"):
        old, new = (getattr(recipe, section).model_dump(mode="json") for recipe in (before, now))
        for name in {**old, **new}:
            if name not in _MAY_CHANGE and old.get(name) != new.get(name):
                message = f"is {new.get(name)}, the checkpoint of step {step} was made with {old.get(name)}"
                mend = "leave it as it is; another model is a new run"
                problems.append(Problem(f"{section}.{name}", message, mend, code="model"))
    if problems:
        raise BadInput(*problems)


def check_goes_on(run: Run, before: Recipe, now: Recipe, start: Checkpoint | None) -> None:
    """Refuse what would end a resume before its first step.

    Raises:
        BadInput: The run has its steps already, or the recipe is of another model.
    """
    if start is None:
        return
    check_same_model(before, now, start.step)
    most = now.train.max_steps
    # One that was killed at its last step has still to be told that it is finished.
    if most is not None and (most < start.step or (most == start.step and run.status().status == "finished")):
        mend = f"raise it: raylm runs resume {run.run_id} train.max_steps={2 * start.step}"
        message = f"{run.run_id} is at step {start.step} already, its limit is {most}"
        raise BadInput.one("train.max_steps", message, mend, code="reached")
