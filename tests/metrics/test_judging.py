"""Figures of rows: intervals, breakdowns, lengths, worst rows, differences of two answerers."""

import numpy as np
import pytest

from raylm.metrics.judging import breakdown, intervals, length_groups, paired_difference, worst


def shares(sums):
    return {"accuracy": float(sums[0] / sums[1])}


def stats_of(hits):
    hits = np.asarray(hits, dtype=float)
    return np.column_stack([hits, np.ones(len(hits))])


def test_the_interval_of_a_share_is_as_wide_as_the_normal_law_says():
    stats = stats_of([1] * 300 + [0] * 100)
    low, high = intervals(stats, shares)["accuracy"]
    reach = 1.96 * (0.75 * 0.25 / 400) ** 0.5
    assert low == pytest.approx(0.75 - reach, abs=0.008)
    assert high == pytest.approx(0.75 + reach, abs=0.008)


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    stats = np.random.default_rng(1).random((200, 2))
    assert intervals(stats, shares) == intervals(stats, shares)
    assert intervals(stats, shares) != intervals(stats, shares, seed=1)


def test_blocks_do_not_change_the_interval(monkeypatch):
    stats = stats_of([1] * 30 + [0] * 10)
    whole = intervals(stats, shares)
    monkeypatch.setattr("raylm.metrics.judging._BLOCK", 64)
    assert intervals(stats, shares) == whole


def test_rows_that_are_alike_are_as_likely_as_rows_one_by_one():
    values = np.array([0.0, 1.0, 1.0, 1.0, 2.0] * 20)
    alike = stats_of(values)
    low, high = intervals(alike, shares, num_resamples=4000)["accuracy"]
    drawn = np.random.default_rng(5).choice(values, (4000, 100)).mean(axis=1)
    assert (low, high) == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.025)


def test_no_rows_have_no_interval_and_one_row_has_no_width():
    assert intervals(stats_of([]), shares) == {}
    assert intervals(stats_of([1]), shares) == {"accuracy": (1.0, 1.0)}


def test_a_breakdown_gives_each_group_its_metrics_and_leaves_out_rows_of_none():
    stats = stats_of([1, 0, 1, 1])
    found = breakdown(stats, shares, ["b", "b", None, "a"])
    assert found == {"a": {"accuracy": 1.0, "num_rows": 1}, "b": {"accuracy": 0.5, "num_rows": 2}}


def test_groups_of_numbers_stand_in_their_order():
    groups = ["13-20 tokens", "other", "1-12 tokens", "101-200 tokens"]
    assert list(breakdown(stats_of([1, 1, 1, 1]), shares, groups)) == [
        "1-12 tokens",
        "13-20 tokens",
        "101-200 tokens",
        "other",
    ]


def test_length_groups_are_quarters():
    found = length_groups(range(1, 101))
    assert found[0] == "1-25 tokens"
    assert [found.count(each) for each in dict.fromkeys(found)] == [25, 25, 25, 25]


@pytest.mark.parametrize(
    ("lengths", "groups"),
    [
        ([], []),
        ([1], ["1 token"]),
        ([7, 7, 7], ["7 tokens"] * 3),
        ([3, 3, 3, 3, 3, 9], ["3 tokens"] * 5 + ["9 tokens"]),
    ],
)
def test_lengths_that_are_alike_are_in_one_group(lengths, groups):
    assert length_groups(lengths) == groups


def test_the_worst_rows_come_first_and_ties_in_order():
    assert worst(np.array([0.5, 0.0, 1.0, 0.0]), 3) == [1, 3, 0]
    assert worst(np.array([])) == []


def test_a_better_answerer_is_better_beyond_chance_only_if_rows_say_so():
    rng = np.random.default_rng(0)
    hard = rng.random(500)
    weak, strong = stats_of(hard < 0.5), stats_of(hard < 0.55)
    difference, low, high = paired_difference(strong, weak, shares, "accuracy")
    assert difference == pytest.approx(strong[:, 0].mean() - weak[:, 0].mean())
    # Seen apart, the two intervals would overlap: each is 0.04 to both sides.
    assert 0 < low < difference < high < 0.1
    other = stats_of(rng.random(500) < 0.5)
    _, low, high = paired_difference(other, weak, shares, "accuracy")
    assert low < 0 < high


def test_an_answerer_does_not_differ_from_itself():
    stats = stats_of([1, 0, 1])
    assert paired_difference(stats, stats, shares, "accuracy") == (0.0, 0.0, 0.0)
