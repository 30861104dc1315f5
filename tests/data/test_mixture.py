"""The order of rows of several sources: by weight, with limits, from the global sample index alone."""

import subprocess
import sys

import numpy as np
import pytest

from raylm.config.errors import BadInput
from raylm.data.mixture import PERIOD, EachRowOnce, Mixture, Share, order_of
from raylm.data.sampler import Sampler
from raylm.data.section import DataSection
from raylm.data.shares import check_lasts, order_for, weight_problem
from raylm.data.sources.text import Text

ROWS = (100, 37, 50)
WEIGHTS = tuple(map(Share, (5.0, 3.0, 2.0)))
LIMITED = (Share(5, 2), Share(3, 4), Share(2, 1.5))


def sources_of(rows, source_rows=ROWS):
    return np.searchsorted(np.cumsum(source_rows), rows, side="right")


def counts_of(rows, source_rows=ROWS):
    return np.bincount(sources_of(rows, source_rows), minlength=len(source_rows)).tolist()


@pytest.mark.parametrize("num_sources", [1, 3])
def test_without_weights_the_order_is_one_sampler_over_all_rows(num_sources):
    rows = ROWS[:num_sources]
    order = order_of(rows, [Share()] * num_sources, seed=4)
    assert np.array_equal(order.rows(150, 400), Sampler(sum(rows), 4).rows(150, 400))
    assert order.num_samples is None


def test_a_period_holds_each_source_by_its_weight():
    order = Mixture(ROWS, WEIGHTS, seed=0)
    for period in (0, 1, 10**5):
        found = counts_of(order.rows(period * PERIOD, PERIOD))
        assert found == [32768, 19661, 13107]
    assert order.num_samples is None


def test_a_short_stretch_has_the_mixture_too():
    found = np.array([counts_of(Mixture(ROWS, WEIGHTS, seed).rows(3000, 500)) for seed in range(20)])
    assert np.abs(found.mean(axis=0) - [250, 150, 100]).max() < 12  # five standard deviations of the mean
    assert (found.std(axis=0) > 0).all()


def test_a_source_too_light_for_a_period_still_comes():
    order = Mixture((10, 10), (Share(1.0), Share(1e6)), seed=0)
    assert counts_of(order.rows(0, 2 * PERIOD), (10, 10))[0] == 2


def test_each_pass_over_a_source_holds_each_of_its_rows_once():
    order = Mixture(ROWS, WEIGHTS, seed=1)
    rows = order.rows(0, 3000)
    for source, count in enumerate(ROWS):
        mine = rows[sources_of(rows) == source]
        passes = mine[: len(mine) // count * count].reshape(-1, count)
        assert len(passes) >= 11
        assert all(len(set(each)) == count for each in passes)
        assert len({tuple(each) for each in passes}) == len(passes)


@pytest.mark.parametrize("order", [Mixture(ROWS, WEIGHTS, 3), Mixture(ROWS, LIMITED, 3)])
def test_a_window_of_rows_does_not_depend_on_how_it_is_cut(order):
    whole = order.rows(0, 420)
    for size in (1, 7, 64):
        pieces = [order.rows(first, min(size, 420 - first)) for first in range(0, 420, size)]
        assert np.array_equal(whole, np.concatenate(pieces))
    backwards = [order.rows(first, 60) for first in range(360, -1, -60)]
    assert np.array_equal(whole, np.concatenate(backwards[::-1]))


def test_windows_across_periods_do_not_depend_on_how_they_are_cut():
    first, count = 10**10 // PERIOD * PERIOD - 100, PERIOD + 200
    whole = Mixture(ROWS, WEIGHTS, 3).rows(first, count)
    other = Mixture(ROWS, WEIGHTS, 3)
    parts = [other.rows(first, 150), other.rows(first + 150, count - 150)]
    assert np.array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_any_number_of_workers_draws_the_same_samples(world_size):
    orders, share = [Mixture(ROWS, LIMITED, 5) for _ in range(world_size)], 16 // world_size
    steps = [
        [orders[rank].rows(step + rank * share, share) for rank in range(world_size)]
        for step in range(0, 400, 16)
    ]
    assert np.array_equal(
        np.ravel([np.concatenate(step) for step in steps]), Mixture(ROWS, LIMITED, 5).rows(0, 400)
    )


def test_limits_are_reached_exactly_and_the_others_take_over():
    order = Mixture(ROWS, LIMITED, seed=0)
    assert order.num_samples == 200 + 148 + 75
    rows = order.rows(0, order.num_samples)
    times = np.bincount(rows, minlength=sum(ROWS))
    assert set(times[:100]) == {2}
    assert set(times[100:137]) == {4}
    assert sorted(times[137:]) == [1] * 25 + [2] * 25
    first = counts_of(rows[:370])  # the last source has 75 and a weight of a fifth: it ends about there
    assert np.allclose(first, [185, 111, 74], atol=5)
    assert counts_of(rows[376:])[2] == 0


def test_past_the_last_sample_nothing_is_read():
    order = Mixture(ROWS, LIMITED, seed=0)
    with pytest.raises(AssertionError, match="past the last sample"):
        order.rows(order.num_samples - 5, 6)


def test_limits_of_large_sources_are_exact_too():
    source_rows = (10**6, 10**5, 10**4)
    order = Mixture(source_rows, (Share(1, None), Share(1, 3), Share(1, 2.5)), seed=0)
    assert order.num_samples is None
    assert order.drawn(2, 10**9).num_samples == 25_000
    assert order.drawn(1, 10**9).num_samples == 300_000
    assert order.drawn(0, 10**9).num_samples == 10**9 - 325_000


def test_limits_without_weights_keep_each_sources_own_size():
    order = order_of((300, 100), (Share(), Share(None, 2)), seed=0)
    assert counts_of(order.rows(0, 400), (300, 100)) == pytest.approx([300, 100], abs=30)
    assert order.drawn(1, 10**6).num_samples == 200


def test_a_source_without_rows_is_never_drawn():
    order = Mixture((10, 0, 10), (Share(1), Share(9), Share(1)), seed=0)
    assert counts_of(order.rows(0, PERIOD), (10, 0, 10)) == [PERIOD // 2, 0, PERIOD // 2]


@pytest.mark.parametrize(
    "order",
    [EachRowOnce(ROWS, 2), Mixture(ROWS, WEIGHTS, 2), Mixture(ROWS, LIMITED, 2)],
    ids=["each row once", "weights", "limits"],
)
def test_what_was_drawn_of_a_source_is_what_the_samples_held(order):
    rows = order.rows(0, 423)
    for cursor, source in ((cursor, source) for cursor in (0, 1, 50, 187, 376, 423) for source in range(3)):
        drawn = order.drawn(source, cursor)
        low, high = np.cumsum([0, *ROWS])[source : source + 2]
        held = np.sort(rows[:cursor][sources_of(rows[:cursor]) == source])
        whole = np.repeat(np.arange(low, high), drawn.num_epochs)
        assert np.array_equal(np.sort(np.concatenate([whole, drawn.rows])), held)
        assert drawn.num_samples == len(held)


def test_another_process_draws_the_same_rows():
    code = (
        "from raylm.data.mixture import *; "
        "print(Mixture((9, 10**9), (Share(1), Share(2)), 7).rows(10**10, 9).tolist())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = Mixture((9, 10**9), (Share(1), Share(2)), 7).rows(10**10, 9).tolist()
    assert other.stdout.strip() == str(expected)


def test_the_order_of_rows_never_changes_between_versions():
    # Stored cursors point into this order: a change here would make resumed runs see other data.
    assert Mixture((4, 3), (Share(1), Share(2)), 0).rows(0, 10).tolist() == [1, 2, 6, 3, 0, 5, 4, 2, 4, 5]


def section(*weights, **fields):
    sources = tuple(
        Text(path=f"{name}.txt", weight=weight) for name, weight in zip("abc", weights, strict=False)
    )
    return DataSection(sources=sources, **fields)


def test_some_weights_and_not_others_are_refused_by_name():
    data = section(None, 2.0)
    problem = weight_problem(data)
    assert str(problem) == (
        "data.sources.0.weight: a has no weight, b has 2; give every source a weight, or none"
    )
    with pytest.raises(BadInput, match="a has no weight, b has 2"):
        order_for(data, ("a", "b"), (10, 10), seed=0)
    assert weight_problem(section(None, None)) is None
    assert weight_problem(section(1.0, 2.0)) is None


def test_a_source_for_validation_needs_no_weight():
    data = DataSection(sources=(Text(path="a.txt", weight=2.0), Text(path="b.txt", split="validation")))
    assert weight_problem(data) is None
    assert isinstance(order_for(data, ("a", "b"), (10, 0), seed=0), Mixture)


def test_a_given_dataset_takes_weights_from_sources_of_the_same_name():
    data = section(3.0, 1.0, path="/somewhere")
    order = order_for(data, ("b", "a"), (10, 10), seed=0)
    assert counts_of(order.rows(0, PERIOD), (10, 10)) == [PERIOD // 4, 3 * PERIOD // 4]
    with pytest.raises(BadInput, match="c has no weight, a has 3"):
        order_for(data, ("a", "b", "c"), (10, 10, 10), seed=0)


def test_a_run_longer_than_the_limits_allow_is_refused_with_the_numbers():
    order = Mixture(ROWS, LIMITED, seed=0)
    check_lasts(order, 423)
    with pytest.raises(BadInput, match="draws 1,000 sequences, the sources' max_epochs allow 423"):
        check_lasts(order, 1000)
    check_lasts(Mixture(ROWS, WEIGHTS, seed=0), 10**12)
