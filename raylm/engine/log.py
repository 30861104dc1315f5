"""What rank 0 writes down: one record a step, and what happened."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from raylm.engine.checkpoint import Position
from raylm.runs.records import StepRecord
from raylm.runs.run import Run
from raylm.trackers import Tracker, open_all

_LOGGER = logging.getLogger(__name__)
SAY_EVERY_S = 10.0  # the curve has every step and every number; the text log shows that it moves
SAID = {
    "train/loss": "loss",
    "eval/loss": "validation",
    "train/learning_rate": "lr",
    "train/grad_norm": "grad norm",
    "throughput/tokens_per_second": "tokens/s",
}


class Log:
    """Writes records and events on rank 0, and nothing anywhere else."""

    def __init__(self, run: Run, attempt: int, trackers: Sequence[Tracker], *, is_first: bool) -> None:
        self._run = run
        self._attempt = attempt
        self._is_first = is_first
        self._said_at = 0.0
        self._handles = open_all(run, attempt, trackers) if is_first else []

    def record(self, position: Position, metrics: dict[str, float]) -> None:
        """Write a step's metrics into the run, and wherever else the recipe's trackers take them."""
        record = StepRecord(position.step, self._attempt, position.tokens_seen, time.time(), metrics)
        for handle in self._handles:
            handle.log(record)
        now = time.monotonic()
        if now - self._said_at >= SAY_EVERY_S or "eval/loss" in metrics:
            self._said_at = now
            _say(f"step {position.step}", {SAID[key]: metrics[key] for key in SAID if key in metrics})

    def event(self, name: str, **fields: Any) -> None:
        """Write down that something happened."""
        if self._is_first:
            self._run.emit("rank0", name, attempt=self._attempt, **fields)
            _say(name, fields)

    def close(self) -> None:
        """Flush what is left."""
        for handle in self._handles:
            handle.close()


def _say(what: str, values: Mapping[str, Any]) -> None:
    shown = [f"{name} {_short(value)}" for name, value in values.items()]
    _LOGGER.info("%s: %s", what, ", ".join(shown))


def _short(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
