"""Choosing, checking and launching a recipe."""

import shlex
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import ClassVar

from raylm.api import launch as runner
from raylm.api.plan_items import plan_items
from raylm.api.questions import Json, Place, Questions
from raylm.api.recipe_files import file_of, save_recipe
from raylm.api.starters import as_run, from_checkpoint, origins, starters
from raylm.config.errors import BadInput
from raylm.planning import plan, preflight
from raylm.recipe import Recipe
from raylm.runs.names import make_run_id
from raylm.runs.storages import resolve

MOST_ORIGINS = 100  # runs that a recipe can begin from


class Recipes(Questions):
    """The form's questions."""

    READS: ClassVar = ("schema", "starters", "origins", "start_from", "run_id", "check", "preview")
    COMMANDS: ClassVar = ("launch", "save_recipe")
    LIGHT: ClassVar = ("origins", "run_id")

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._launching = threading.Lock()

    def schema(self) -> Json:
        """Return every field of a recipe, as a form needs them."""
        return Recipe.schema()

    def starters(self) -> list[Json]:
        """Return the recipes a person can begin with: {"name", "title", "values"}."""
        return starters(self.place.first, self.place.folder)

    def origins(self) -> list[Json]:
        """Return the newest runs that a recipe can begin from: {"run_id", "name", "steps"}, newest first."""
        return origins(self.place.recent_runs(MOST_ORIGINS))

    def start_from(self, run_id: str, step: int | None = None, values: Json | None = None) -> Json:
        """Return the values of a recipe to begin with: a run's own, or `values` on a step's weights."""
        run = self.place.find(run_id)
        if values is not None and not isinstance(values, Mapping):
            raise BadInput.one("values", "must be the values of a recipe", code="values")
        return as_run(run) if step is None else from_checkpoint(run, step, values)

    def run_id(self, name: str) -> str:
        """Return a new run id; a form takes it when it opens, so that its launch happens once."""
        return make_run_id(name or "run")

    def check(self, values: Json, is_deep: bool = False) -> Json:  # noqa: FBT001, FBT002 - a JSON argument
        """Return {"problems", "plan", "yaml", "command", "file"}; deep also asks storage and machine."""
        try:
            recipe = Recipe.from_values(values)
            place = resolve(self.place.storage, recipe.storage)
            problems = preflight(recipe, place) if is_deep else []
        except BadInput as error:
            return {
                "problems": [asdict(one) for one in error.problems],
                "plan": [],
                "yaml": "",
                "command": "",
                "file": "",
            }
        return {
            "problems": [asdict(one) for one in problems],
            "plan": plan_items(plan(recipe, place)),
            **self._preview(recipe),
        }

    def preview(self, values: Json) -> Json:
        """Return {"yaml", "command", "file"}: the recipe, how a shell launches it, where it is saved."""
        return self._preview(Recipe.from_values(values))

    def launch(self, values: Json, run_id: str) -> Json:
        """Start the run in the background and return {"run_id", "is_new"}; asked again, it starts nothing."""
        recipe = Recipe.from_values(values)
        with self._launching:  # a second click waits for the first and then finds its run
            try:
                run = runner.launch(recipe, run_id, self.place.storage)
            except BadInput as error:
                if error.problems[0].code not in ("run_exists", "already_launched"):
                    raise
                return {"run_id": run_id, "is_new": False}
        return {"run_id": run.run_id, "is_new": True}

    def save_recipe(self, values: Json, file: str, is_replacing: bool = False) -> Json:  # noqa: FBT001, FBT002 - a JSON argument
        """Write the recipe beside the others and return {"name", "title"} of the starter that it is then."""
        recipe = Recipe.from_values(values)
        path = save_recipe(self.place.folder, file, recipe.to_yaml(), is_replacing=is_replacing is True)
        return {"name": str(path), "title": f"{recipe.name} ({path.name})"}

    def _preview(self, recipe: Recipe) -> Json:
        path = file_of(self.place.folder, recipe.name)
        return {"yaml": recipe.to_yaml(), "command": command_line(recipe), "file": str(path)}


def command_line(recipe: Recipe) -> str:
    """Return the line that runs the recipe, saved under its name, from a shell."""
    train = f"raylm train {shlex.quote(recipe.name + '.yaml')}"
    if not recipe.scaling.num_workers:
        return train
    address = f"--address {shlex.quote(recipe.scaling.address)} " if recipe.scaling.address else ""
    return f"ray job submit {address}--working-dir . -- {train}"
