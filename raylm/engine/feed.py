"""This process's share of each step's rows, as micro-batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from raylm.objectives import Batch, Frame, Objective, Row


class Reader(Protocol):
    """Reads rows by global sample index."""

    def rows(self, first_index: int, count: int) -> Sequence[Row]: ...


@dataclass(frozen=True)
class Feed:
    """Cuts the global batch into contiguous shares, one a process, and each share into micro-batches."""

    reader: Reader
    objective: Objective
    global_batch_size: int
    micro_batch_size: int  # what the engine takes, a divisor of a process's share
    frame: Frame
    rank: int
    world_size: int

    def batches(self, cursor: int) -> list[Batch]:
        """Return the micro-batches of the step whose first row has the global sample index `cursor`."""
        share = self.global_batch_size // self.world_size
        first = cursor + self.rank * share
        return [
            self.batch(start, self.micro_batch_size)
            for start in range(first, first + share, self.micro_batch_size)
        ]

    def batch(self, first: int, count: int) -> Batch:
        """Return the rows `first` .. `first + count - 1` as one batch."""
        return self.objective.make_batch(self.reader.rows(first, count), self.frame)
