"""Recipes that a person can begin with: one at hand, files nearby, what an earlier run ran or learned."""

import contextlib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from raylm.config.errors import BadInput
from raylm.config.report import Origin
from raylm.config.source_paths import absolute_paths
from raylm.config.yaml import load_yaml, parse_yaml
from raylm.recipe import Recipe
from raylm.recipe.init import with_init
from raylm.runs.run import Run

# The folder itself, one of recipes in it, and the examples of a project whose notebooks lie in a folder.
PLACES = (".", "recipes", "examples", "../examples")
_MARKS = {"name", "model", "train"}  # what makes a YAML file a recipe
_BROUGHT = ("model", "tokenizer", "init")  # what a checkpoint that a run begins with decides


def starters(first: Recipe | None, folder: Path) -> list[dict[str, Any]]:
    """Return {"name", "title", "values"} of the given recipe and of recipe files near the folder."""
    given = [{"name": "", "title": first.name, "values": _given(first)}] if first else []
    paths = [path for place in PLACES for path in sorted((folder / place).glob("*.y*ml"))]
    unique = {path.resolve(): path for path in paths}
    found = [*given, *map(_of_file, unique)]
    return [starter for starter in found if starter is not None]


def origins(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Return {"run_id", "name", "steps"} of runs that a recipe can begin from; steps rise."""
    return [{"run_id": run.run_id, "name": run.name, "steps": run.checkpoints.steps()} for run in runs]


def as_run(run: Run) -> dict[str, Any]:
    """Return the values of a run's recipe, to be run once more or changed.

    Raises:
        BadInput: it was never launched.
    """
    text = run.recipe_yaml()
    try:
        return _given(Recipe.from_yaml(text))
    except BadInput:  # the form shows what is wrong with one that another raylm wrote, field by field
        return parse_yaml(text, "recipe.yaml").values


def from_checkpoint(run: Run, step: int, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the values of a new recipe whose run begins with a checkpoint's weights.

    Model and tokenizer come along with them and take the place of those that the values name.

    Args:
        run: Whose checkpoint it is.
        step: Which one.
        values: What else the recipe says; by default what the run's own did.

    Raises:
        BadInput: there is no such checkpoint.
    """
    steps = run.checkpoints.steps()
    if type(step) is not int or step not in steps:  # True is an int too
        mend = f"there are: {', '.join(map(str, steps)) or 'none'}"
        raise BadInput.one("step", f"{run.run_id} has no checkpoint {str(step)[:80]}", mend, code="no_step")
    rest = {name: value for name, value in (values or as_run(run)).items() if name not in _BROUGHT}
    origin, problems = with_init(Origin({**rest, "init": {"from": f"{run.uri}@{step}"}}, {}), Path.cwd())
    if problems:
        raise BadInput(*problems)
    return dict(origin.values)


def _of_file(path: Path) -> dict[str, Any] | None:
    try:
        document = load_yaml(path)
    except BadInput:
        return None  # not a recipe; `raylm check` says what is wrong with one
    if not set(document.values) >= _MARKS:
        return None
    values = absolute_paths(Origin(document.values, {}), path.parent)  # wherever the kernel works
    if not values.get("plugins"):  # to list a recipe runs no code of it: that is for who chooses it
        with contextlib.suppress(BadInput):  # the form shows what is wrong, field by field
            values = _given(Recipe.load(path))
    return {"name": str(path), "title": f"{values['name']} ({path.name})", "values": _sayable(values)}


def _sayable(value: Any) -> Any:
    """Return a value that JSON holds: `.inf` and `.nan` become text, which the form says is no number."""
    if isinstance(value, dict):
        return {name: _sayable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _given(recipe: Recipe) -> dict[str, Any]:
    """Return what the recipe sets; the rest are defaults, which a form shows as such."""
    return recipe.model_dump(mode="json", exclude_unset=True, exclude_none=True)
