"""What people ask of a running loop, agreed on by all processes at one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from raylm.runs.commands import Command, Inbox

# How rank 0 spells its orders in the step's exchange; every other process sends zeros.
NUM_SIGNALS = 4
DONE_BY_SAVING = ("stop", "checkpoint")
TOO_HIGH = 10.0  # as for optimizer.learning_rate


class Orders(NamedTuple):
    """What holds from one step on."""

    wants_checkpoint: bool = False
    ending: str = ""  # "stopped" or "preempted": how the run shall end after this step
    learning_rate: float | None = None  # in place of the optimizer's, as the schedule's peak


class OrderDesk:
    """Turns commands from the run's inbox into signals, and signals into orders.

    Rank 0 owns the inbox; the signals ride on the step's exchange, so that all act at the same step.
    """

    def __init__(self, inbox: Inbox | None) -> None:
        self._inbox = inbox
        self._taken: list[Command] = []
        self._learning_rate: float | None = None

    def restore(self, step: int) -> None:
        """Bring back what earlier attempts applied up to the step that the run resumes from."""
        for earlier in range(1, step + 1) if self._inbox else ():
            self._note_rate(self._inbox.applied_at(earlier) if self._inbox else [])

    def signals(self, step: int) -> list[float]:
        """Return what rank 0 asks of everybody at this step; zeros from everybody else."""
        if self._inbox is None:
            return [0.0] * NUM_SIGNALS
        self._taken = self._inbox.take()
        self._note_rate([*self._inbox.applied_at(step), *self._taken])
        stops = [command for command in self._taken if command.name == "stop"]
        is_preempted = any(command.args.get("is_preempted") for command in stops)
        wants_checkpoint = any(command.name == "checkpoint" for command in self._taken)
        return [float(wants_checkpoint), float(bool(stops)), float(is_preempted), self._learning_rate or 0.0]

    def read(self, step: int, signals: Sequence[float]) -> Orders:
        """Return the orders that the signals spell; record those that need no checkpoint as applied."""
        self._record(step, [command for command in self._taken if command.name not in DONE_BY_SAVING])
        wants_checkpoint, stops, is_preempted, learning_rate = signals
        ending = "preempted" if is_preempted else "stopped" if stops else ""
        return Orders(bool(wants_checkpoint), ending, learning_rate or None)

    def settle(self, step: int) -> None:
        """Record what a checkpoint was needed for, once it is durable.

        A process that dies before then finds the order in the inbox again, and so still stops.
        """
        self._record(step, [command for command in self._taken if command.name in DONE_BY_SAVING])

    def _record(self, step: int, commands: Sequence[Command]) -> None:
        if self._inbox is not None:
            for command in commands:
                self._inbox.record(command, step)

    def close(self) -> None:
        """Stop watching the inbox."""
        if self._inbox is not None:
            self._inbox.close()

    def _note_rate(self, commands: Sequence[Command]) -> None:
        for command in commands:
            value = command.args.get("value")
            # What is no rate is passed over: an order that cannot be carried out must not end a run.
            if (
                command.name == "set_learning_rate"
                and isinstance(value, int | float)
                and 0 < value < TOO_HIGH
            ):
                self._learning_rate = float(value)
