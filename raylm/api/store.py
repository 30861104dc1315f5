"""What the screens ask and answer, in JSON: one door for every shell, notebook today and HTTP later."""

import inspect
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from raylm.api.questions import Json, Place, all_questions
from raylm.config.errors import BadInput, Problem, RunFailed
from raylm.recipe import Recipe

_LOG = logging.getLogger(__name__)


class Store:
    """The questions of a screen, each answered from the run directories and the recipe's schema.

    It keeps no state of its own: two stores, or one made after a kernel restart, answer the same.

    Args:
        storage: Where runs are started and looked for; by default wherever raylm looks.
        folder: Where recipe files are looked for; by default the working directory.
        first: The recipe that a form begins with.
    """

    def __init__(
        self, storage: str | None = None, folder: str | Path | None = None, first: Recipe | None = None
    ) -> None:
        place = Place(storage, Path(folder or Path.cwd()), first)
        asked = [kind(place) for kind in all_questions()]
        self.reads = {name: getattr(one, name) for one in asked for name in one.READS}
        self.commands = {name: getattr(one, name) for one in asked for name in one.COMMANDS}
        self.light = frozenset(name for one in asked for name in one.LIGHT)

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

    def _method(self, name: str, args: Json) -> Callable[..., Any]:
        method = self.reads.get(name) or self.commands.get(name)
        if method is None:
            raise BadInput.one("method", f"{name!r} is no question of a screen", code="method")
        try:
            inspect.signature(method).bind(**args)
        except TypeError as error:
            raise BadInput.one("method", f"{name}: {error}", code="method") from None
        return method


def _refusal(problems: Sequence[Problem]) -> Json:
    first = problems[0]
    message = f"{first.field}: {first.message}" if first.field else first.message
    return {
        "message": message,
        "mend": first.mend,
        "field": first.field,
        "problems": [asdict(one) for one in problems if one.field],
    }
