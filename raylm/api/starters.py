"""Recipes that a person can begin a run with: one at hand, files nearby, and what earlier runs ran."""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from raylm.config.errors import BadInput
from raylm.config.yaml import load_yaml
from raylm.recipe import Recipe
from raylm.runs.run import Run

# The folder itself, one of recipes in it, and the examples of a project whose notebooks lie in a folder.
PLACES = (".", "recipes", "examples", "../examples")
_MARKS = {"name", "model", "train"}  # what makes a YAML file a recipe


def starters(first: Recipe | None, folder: Path, runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Return {"name", "title", "values"} of the given recipe, recipe files near the folder, runs' recipes."""
    given = [{"name": "", "title": first.name, "values": _given(first)}] if first else []
    paths = [path for place in PLACES for path in sorted((folder / place).glob("*.y*ml"))]
    unique = {path.resolve(): path for path in paths}
    found = [*given, *map(_of_file, unique), *map(_of_run, runs)]
    return [starter for starter in found if starter is not None]


def _of_file(path: Path) -> dict[str, Any] | None:
    try:
        values = load_yaml(path).values
    except BadInput:
        return None  # not a recipe; `raylm check` says what is wrong with one
    if not set(values) >= _MARKS:
        return None
    with contextlib.suppress(BadInput):  # the form shows what is wrong, field by field
        values = _given(Recipe.load(path))  # paths are absolute then, wherever the kernel works
    return {"name": str(path), "title": f"{values['name']} ({path.name})", "values": values}


def _of_run(run: Run) -> dict[str, Any] | None:
    try:
        values = _given(Recipe.from_yaml(run.recipe_yaml()))
    except BadInput:
        return None  # never launched, or written by another raylm
    return {"name": run.run_id, "title": f"as run {run.run_id}", "values": values}


def _given(recipe: Recipe) -> dict[str, Any]:
    """Return what the recipe sets; the rest are defaults, which a form shows as such."""
    return recipe.model_dump(mode="json", exclude_unset=True, exclude_none=True)
