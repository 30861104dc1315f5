import subprocess
import sys

import numpy as np
import pytest

from raylm.data.sampler import Sampler, permute


def test_every_small_range_is_permuted_without_a_gap_or_a_repeat():
    for num_rows in range(1, 1001):
        moved = permute(np.arange(num_rows), num_rows, key=num_rows * 7)
        assert np.array_equal(np.sort(moved), np.arange(num_rows)), num_rows


@pytest.mark.parametrize("num_rows", [10**10, 2**33 - 1, 2**33, 2**33 + 1, 2**62])
def test_a_huge_range_gives_distinct_rows_inside_it(num_rows):
    rng = np.random.default_rng(0)
    positions = np.unique(rng.integers(0, num_rows, 200_000))
    moved = permute(positions, num_rows, key=3)
    assert len(np.unique(moved)) == len(positions)
    assert moved.min() >= 0
    assert moved.max() < num_rows


def test_rows_are_spread_evenly():
    moved = permute(np.arange(1_000_000), 1_000_003, key=11)
    counts, _ = np.histogram(moved[:100_000], bins=100, range=(0, 1_000_003))
    assert np.abs(counts - 1000).max() < 150  # five standard deviations of a fair draw
    assert abs(np.corrcoef(np.arange(1_000_000), moved)[0, 1]) < 0.005


def test_every_order_of_a_few_rows_comes_up():
    orders = {tuple(permute(np.arange(4), 4, key)) for key in range(2000)}
    assert len(orders) >= 12


def test_a_window_of_rows_does_not_depend_on_how_it_is_cut():
    sampler = Sampler(num_rows=97, seed=5)
    whole = sampler.rows(0, 500)
    pieces = [sampler.rows(first, min(7, 500 - first)) for first in range(0, 500, 7)]
    assert np.array_equal(whole, np.concatenate(pieces))


def test_each_epoch_holds_every_row_once_in_a_new_order():
    sampler = Sampler(num_rows=53, seed=1)
    epochs = sampler.rows(0, 53 * 5).reshape(5, 53)
    assert all(sorted(epoch) == list(range(53)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5
    assert [sampler.epoch(index) for index in (0, 52, 53, 264)] == [0, 0, 1, 4]


def test_seeds_give_other_orders():
    orders = {tuple(Sampler(40, seed).rows(0, 40)) for seed in (-1, 0, 1, 2**40)}
    assert len(orders) == 4


def test_another_process_draws_the_same_rows():
    code = "from raylm.data.sampler import Sampler; print(Sampler(10**10, 9).rows(10**10 - 3, 6).tolist())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str(Sampler(10**10, 9).rows(10**10 - 3, 6).tolist())


def test_the_order_of_rows_never_changes_between_versions():
    # Stored cursors point into this order: a change here would make resumed runs see other data.
    assert Sampler(10, 0).rows(0, 10).tolist() == [1, 6, 5, 7, 2, 3, 4, 9, 8, 0]
