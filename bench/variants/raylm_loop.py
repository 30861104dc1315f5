"""raylm itself, through its public entry: `raylm.train` in this process, watched by a tracker that ticks."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import raylm
from raylm.runs.records import StepRecord
from raylm.runs.run import Run
from raylm.trackers import Tracker


class Ticking(Tracker):
    """Tells the harness of each step's tokens."""

    kind: Literal["ticking"] = "ticking"
    tick: ClassVar[Callable[[float], None]]

    def open(self, run: Run, attempt: int) -> "Handle":
        del run, attempt
        return Handle()


class Handle:
    """An open tracker."""

    def __init__(self) -> None:
        self._tokens_seen = 0

    def log(self, record: StepRecord) -> None:
        """Report the tokens since the step before."""
        tokens, self._tokens_seen = record.tokens_seen - self._tokens_seen, record.tokens_seen
        Ticking.tick(tokens)

    def close(self) -> None:
        """Nothing is held."""


def run(options: dict[str, Any], tick: Callable[[float], None]) -> None:
    """Train far longer than the bench lasts."""
    Ticking.tick = staticmethod(tick)
    recipe = raylm.Recipe.load(options["recipe"], [*options["overrides"], "trackers=[{kind: ticking}]"])
    raylm.train(recipe, storage=options["storage"])
