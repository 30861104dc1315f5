"""What screens may ask: each other file of this folder answers the questions of one kind.

A question is a method with JSON values for arguments and answer. Reads change nothing; commands do.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from raylm.config.errors import BadInput
from raylm.recipe import Recipe
from raylm.runs.catalogue import find, list_runs
from raylm.runs.run import Run
from raylm.runs.storages import resolve

Json = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where runs and recipes are looked for."""

    storage: str | None
    """Where runs are started and looked for; by default wherever raylm looks."""
    folder: Path
    """Where recipe files are looked for."""
    first: Recipe | None
    """The recipe that a form begins with."""

    def recent_runs(self, limit: int) -> list[Run]:
        """Return the newest runs, newest first."""
        return list_runs(self.storages())[:limit]

    def find(self, run_id: str) -> Run:
        """Return a run by its id; a path, which could lead anywhere, is none.

        Raises:
            BadInput: There is none.
        """
        if not isinstance(run_id, str) or "/" in run_id:
            raise BadInput.one("run_id", f"{str(run_id)[:80]!r} is no id of a run", "see: raylm runs list")
        return find(run_id, self.storages())[0]

    def storages(self) -> list[str] | None:
        """Return the storages to look in; None: wherever raylm looks."""
        return None if self.storage is None else [resolve(self.storage)]


class Questions:
    """Questions of one kind, each a method; they keep nothing between two of them that matters."""

    READS: ClassVar[tuple[str, ...]] = ()
    """Names of the methods that change nothing."""
    COMMANDS: ClassVar[tuple[str, ...]] = ()
    """Names of those that do."""
    LIGHT: ClassVar[tuple[str, ...]] = ()
    """Which of them need neither torch, Ray nor a recipe's plug-ins: a Jupyter server answers them itself."""

    def __init__(self, place: Place) -> None:
        self.place = place


def all_questions() -> list[type[Questions]]:
    """Return the questions of every file in this folder."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted(Questions.__subclasses__(), key=lambda kind: kind.__module__)
