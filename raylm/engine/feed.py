"""This process's share of each step's rows, as micro-batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from raylm.data.mixture import Order
from raylm.data.rows import RowReader
from raylm.data.shards import Dataset
from raylm.engine.world import World
from raylm.objectives import Batch, Frame, Objective, Row
from raylm.recipe import Recipe


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


def feed_over(
    recipe: Recipe, dataset: Dataset, name: str, world: World, order: Order | None = None
) -> tuple[Feed, int]:
    """Return the feed over a split, row after row without an order, and the split's rows."""
    section, split = recipe.train, dataset.splits[name]
    plan = recipe.objective.row_plan(split, section.sequence_length)
    feed = Feed(
        reader=RowReader(split, plan, order),
        objective=recipe.objective,
        global_batch_size=section.global_batch_size,
        micro_batch_size=section.micro_batch(world.size),
        frame=Frame(section.sequence_length, section.seed, dataset.vocabulary),
        rank=world.rank,
        world_size=world.size,
    )
    return feed, plan.num_rows
