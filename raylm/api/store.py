"""What the screens ask and answer, in JSON: one door for every shell, notebook today and HTTP later."""

import inspect
import logging
import shlex
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from raylm.api import launch as runner
from raylm.api.history import history
from raylm.api.plan_items import plan_items
from raylm.api.starters import starters
from raylm.config.errors import BadInput, Problem, RunFailed
from raylm.planning import plan, preflight
from raylm.recipe import Recipe
from raylm.runs.catalogue import find, list_runs
from raylm.runs.names import make_run_id
from raylm.runs.read import log_names, read
from raylm.runs.run import Run
from raylm.runs.storages import resolve
from raylm.runs.summary import summary

_LOG = logging.getLogger(__name__)
MOST_RUNS = 200  # that a list shows
LOG_TAIL = 500  # lines that a log begins with

Json = dict[str, Any]


class Store:
    """The questions of a screen, each answered from the run directories and the recipe's schema.

    It keeps no state of its own: two stores, or one made after a kernel restart, answer the same.

    Args:
        storage: Where runs are started and looked for; by default wherever raylm looks.
        folder: Where recipe files are looked for; by default the working directory.
        first: The recipe that a form begins with.
    """

    METHODS = (
        "schema", "starters", "run_id", "check", "preview", "launch",
        "runs", "run", "history", "read", "stop", "resume",
    )  # fmt: skip

    def __init__(
        self, storage: str | None = None, folder: str | Path | None = None, first: Recipe | None = None
    ) -> None:
        self._storage = storage
        self._folder = Path(folder or Path.cwd())
        self._first = first
        self._launching = threading.Lock()

    def answer(self, method: str, args: Json) -> Json:
        """Return {"result": ...}, or {"error": {"message", "mend", "field", "problems"}}; never raises."""
        try:
            return {"result": self._method(method, args)(**args)}
        except BadInput as error:
            return {"error": _refusal(error.problems)}
        except RunFailed as error:
            return {"error": _refusal([Problem("", error.reason, error.mend)])}
        except Exception as error:  # noqa: BLE001 - a screen must hear of a defect of ours too
            _LOG.exception("%s(%s) failed", method, ", ".join(args))
            return {"error": _refusal([Problem("", f"{method} failed: {type(error).__name__}: {error}")])}

    def schema(self) -> Json:
        """Return every field of a recipe, as a form needs them."""
        return Recipe.schema()

    def starters(self) -> list[Json]:
        """Return the recipes a person can begin with: {"name", "title", "values"}."""
        return starters(self._first, self._folder, self._recent_runs(limit=10))

    def run_id(self, name: str) -> str:
        """Return a new run id; a form takes it when it opens, so that its launch happens once."""
        return make_run_id(name or "run")

    def check(self, values: Json, is_deep: bool = False) -> Json:  # noqa: FBT001, FBT002 - a JSON argument
        """Return {"problems", "plan", "yaml", "command"}; deep also asks the storage and the machine."""
        try:
            recipe = Recipe.from_values(values)
            place = resolve(self._storage, recipe.storage)
            problems = preflight(recipe, place) if is_deep else []
        except BadInput as error:
            return {
                "problems": [asdict(one) for one in error.problems],
                "plan": [],
                "yaml": "",
                "command": "",
            }
        return {
            "problems": [asdict(one) for one in problems],
            "plan": plan_items(plan(recipe, place)),
            **self._preview(recipe),
        }

    def preview(self, values: Json) -> Json:
        """Return {"yaml", "command"}: the whole recipe, and the line that launches it from a shell."""
        return self._preview(Recipe.from_values(values))

    def launch(self, values: Json, run_id: str) -> Json:
        """Start the run in the background and return {"run_id", "is_new"}; asked again, it starts nothing."""
        recipe = Recipe.from_values(values)
        with self._launching:  # a second click waits for the first and then finds its run
            try:
                run = runner.launch(recipe, run_id, self._storage)
            except BadInput as error:
                if error.problems[0].code not in ("run_exists", "already_launched"):
                    raise
                return {"run_id": run_id, "is_new": False}
        return {"run_id": run.run_id, "is_new": True}

    def runs(self) -> list[Json]:
        """Return the newest runs, newest first."""
        return [summary(run) for run in self._recent_runs(MOST_RUNS)]

    def run(self, run_id: str) -> Json:
        """Return one run, with the names of its logs."""
        run = self._find(run_id)
        return {**summary(run), "logs": log_names(run), "launches": run.launches()}

    def history(self, run_id: str) -> Json:
        """Return {"records", "cursor"}: the whole curve, thinned to what a screen can show."""
        records, cursor = history(self._find(run_id))
        return {"records": records, "cursor": cursor}

    def read(self, run_id: str, stream: str, cursor: str | None = None) -> Json:
        """Return {"records", "cursor"} of a stream behind the cursor; a log begins with its last lines."""
        run = self._find(run_id)
        if stream.startswith("logs/") and cursor is None:
            records, cursor = _tail(run, stream)
        else:
            records, cursor = read(run, stream, cursor)
        return {"records": records, "cursor": cursor}

    def stop(self, run_id: str) -> Json:
        """Ask the run to save a checkpoint and end; returns the run at once, as it is then."""
        run = self._find(run_id)
        try:
            runner.stop(run, seconds=0)
        except RunFailed:
            if run.status().status != "stopping":
                raise
        return summary(run)

    def resume(self, run_id: str, overrides: Sequence[str] = ()) -> Json:
        """Start the run again in the background, with some fields changed; returns it."""
        return summary(runner.resume(self._find(run_id), overrides, in_background=True))

    def _method(self, name: str, args: Json) -> Callable[..., Any]:
        if name not in self.METHODS:
            raise BadInput.one("method", f"{name!r} is no question of a screen", code="method")
        method = getattr(self, name)
        try:
            inspect.signature(method).bind(**args)
        except TypeError as error:
            raise BadInput.one("method", f"{name}: {error}", code="method") from None
        return method

    def _recent_runs(self, limit: int) -> list[Run]:
        return list_runs(self._storages())[:limit]

    def _find(self, run_id: str) -> Run:
        return find(run_id, self._storages())[0]

    def _storages(self) -> list[str] | None:
        return None if self._storage is None else [resolve(self._storage)]

    def _preview(self, recipe: Recipe) -> Json:
        return {"yaml": recipe.to_yaml(), "command": command_line(recipe)}


def command_line(recipe: Recipe) -> str:
    """Return the line that runs the recipe, saved under its name, from a shell."""
    train = f"raylm train {shlex.quote(recipe.name + '.yaml')}"
    if not recipe.scaling.num_workers:
        return train
    address = f"--address {shlex.quote(recipe.scaling.address)} " if recipe.scaling.address else ""
    return f"ray job submit {address}--working-dir . -- {train}"


def _tail(run: Run, stream: str) -> tuple[list[Json], str]:
    records, cursor = read(run, stream, None)
    last = records
    while last:
        last, cursor = read(run, stream, cursor, limit=10_000)
        records = (records + last)[-LOG_TAIL:]
    return records[-LOG_TAIL:], cursor


def _refusal(problems: Sequence[Problem]) -> Json:
    first = problems[0]
    message = f"{first.field}: {first.message}" if first.field else first.message
    return {
        "message": message,
        "mend": first.mend,
        "field": first.field,
        "problems": _plain(one for one in problems if one.field),
    }


def _plain(problems: Iterable[Problem]) -> list[Json]:
    return [asdict(one) for one in problems]
