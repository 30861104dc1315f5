from typing import NamedTuple

import numpy as np
import pytest

from raylm.data.rows import Row, RowReader
from raylm.data.sampler import Sampler


class Span(NamedTuple):
    column: str
    start: int
    stop: int
    joins: bool = False


class Windows(NamedTuple):
    """A plan of two spans a row, as a pair objective has."""

    num_rows: int

    def spans(self, row):
        return Span("tokens", row * 4, row * 4 + 4), Span("tokens", row, row + 1)


class Split:
    def read(self, column, start, stop):
        assert column == "tokens"
        return np.arange(1000)[start:stop]


def numbers(rows):
    return [int(row.arrays[1][0]) for row in rows]


def test_rows_follow_the_sampler_and_hold_the_plans_spans():
    plan = Windows(30)
    rows = RowReader(Split(), plan, Sampler(30, seed=3)).rows(25, 10)
    assert [row.index for row in rows] == list(range(25, 35))
    assert numbers(rows) == Sampler(30, seed=3).rows(25, 10).tolist()
    for row, number in zip(rows, numbers(rows), strict=True):
        assert row.arrays[0].tolist() == list(range(number * 4, number * 4 + 4))


@pytest.mark.parametrize("world_size", [1, 2, 3, 4])
def test_any_number_of_workers_reads_the_same_rows(world_size):
    shares = [RowReader(Split(), Windows(30), Sampler(30, 0)) for _ in range(world_size)]
    share = 12 // world_size
    rows = [
        row
        for step in range(0, 120, 12)
        for r in range(world_size)
        for row in shares[r].rows(step + r * share, share)
    ]
    assert numbers(rows) == Sampler(30, 0).rows(0, 120).tolist()


def test_without_a_sampler_rows_come_in_order():
    assert numbers(RowReader(Split(), Windows(30)).rows(7, 5)) == [7, 8, 9, 10, 11]


def test_spans_that_join_are_one_array():
    class Joined(Windows):
        def spans(self, row):
            return Span("tokens", row, row + 2, True), Span("tokens", 50, 52, True), Span("tokens", 7, 8)

    (row,) = RowReader(Split(), Joined(30)).rows(4, 1)
    assert [array.tolist() for array in row.arrays] == [[4, 5, 50, 51], [7]]


def test_the_fixed_generator_of_a_row_is_the_same_each_time_the_row_is_drawn():
    one, again, other = (Row(index, index % 50, ()).fixed_rng(3).random() for index in (4, 54, 5))
    assert one == again != other


def test_a_rows_generator_depends_on_seed_and_index_only():
    def draw(index, seed):
        return tuple(Row(index, index % 7, (np.arange(index % 3),)).rng(seed).random(4))

    assert draw(5, 1) == draw(5, 1)
    assert len({draw(index, seed) for index in (0, 1, 2**40) for seed in (-1, 0, 1, 2**63)}) == 12
