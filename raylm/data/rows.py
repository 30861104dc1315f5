"""Rows by global sample index: the order picks a row, the row plan its spans, the split the values."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from raylm.kernels.rows import RowPlan, Span

_MASK_64 = (1 << 64) - 1


class Order(Protocol):
    """Which row stands at a global sample index."""

    @property
    def num_rows(self) -> int: ...
    def rows(self, first: int, count: int) -> NDArray[np.int64]: ...


class Columns(Protocol):
    """Where spans are read: a split of a dataset."""

    def read(self, column: str, start: int, stop: int) -> NDArray[np.generic]: ...


@dataclass(frozen=True, eq=False)
class Row:
    """One row as read: its global sample index, its number, and its arrays in the order of the spans."""

    index: int
    number: int
    arrays: tuple[NDArray[np.generic], ...]

    def rng(self, seed: int) -> np.random.Generator:
        """Return the row's own generator, which depends on the seed and the index and on nothing else."""
        return _generator(seed, self.index)

    def fixed_rng(self, seed: int) -> np.random.Generator:
        """Return a generator that is the same in every epoch: it depends on the seed and the row's number."""
        return _generator(seed, self.number)


def _generator(seed: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array([seed & _MASK_64, number], dtype=np.uint64)))


def read_row(split: Columns, spans: Iterable[Span]) -> list[NDArray[np.generic]]:
    """Return the values of the spans, in order; memory-mapped, so read-only, or a copy where spans join."""
    arrays: list[NDArray[np.generic]] = []
    for span in spans:
        values = split.read(span.column, span.start, span.stop)
        if span.joins and arrays:
            arrays[-1] = np.concatenate([arrays[-1], values])
        else:
            arrays.append(values)
    return arrays


class RowReader:
    """Reads rows by global sample index; without an order the index is the row number (evaluation)."""

    def __init__(self, split: Columns, plan: RowPlan, order: Order | None = None) -> None:
        assert order is None or order.num_rows == plan.num_rows, "order and row plan disagree"
        self._split = split
        self._plan = plan
        self._order = order

    def rows(self, first_index: int, count: int) -> list[Row]:
        """Return the rows at the global sample indices first_index .. first_index + count - 1."""
        if self._order is None:
            assert first_index + count <= self._plan.num_rows, "reading past the last row"
            numbers = range(first_index, first_index + count)
        else:
            numbers = self._order.rows(first_index, count).tolist()
        return [
            Row(index, number, tuple(read_row(self._split, self._plan.spans(number))))
            for index, number in enumerate(numbers, start=first_index)
        ]
