"""What reducing a curve keeps, for random curves: lowest, highest, gaps, order; and all of a short one."""

import math
import random

import pytest

from raylm.api.reduced import TAIL, Reduced, Rewound

LOSS, EVAL = "train/loss", "eval/loss"
LENGTHS = (1, 2, 7, 100, 1001, 30_000)


def rows(num: int, seed: int, first: int = 1, attempt: int = 1) -> list[dict]:
    """Return records of a noisy curve; every 50th step has an evaluation."""
    rng = random.Random(seed)
    return [
        {"step": step, "attempt": attempt, "tokens_seen": step * 64, "time": 1000.0 + step / 8}
        | {LOSS: rng.lognormvariate(0, 1)}
        | ({EVAL: rng.random()} if step % 50 == 0 else {})
        for step in range(first, first + num)
    ]


def reduced(records: list[dict], seed: int = 0) -> Reduced:
    """Return the curve, taken in pieces of random length."""
    curve, rng, start = Reduced(), random.Random(seed), 0
    while start < len(records):
        end = start + rng.choice((1, 3, 400, 9000))
        curve.take(records[start:end])
        start = end
    return curve


def values(points: list) -> list[float]:
    return [point[3] for point in points]


def short(value: float) -> float:
    return float(f"{value:.6g}")


@pytest.mark.parametrize("length", LENGTHS)
def test_lowest_and_highest_of_every_stretch_are_kept(length):
    records = rows(length, seed=length)
    curve = reduced(records)
    points = curve.reduced_to(100)[LOSS]
    assert len(points) <= 201
    size = curve.size * -(-math.ceil(length / curve.size) // 100)
    for start in range(0, length, size):
        stretch = records[start : start + size]
        losses = [record[LOSS] for record in stretch]
        shown = [point for point in points if stretch[0]["step"] <= point[0] <= stretch[-1]["step"]]
        assert {short(min(losses)), short(max(losses))} <= set(values(shown))
        if len(stretch) > 1:
            assert len({point[4] for point in shown}) == 1
            assert shown[0][4] == pytest.approx(sum(losses) / len(losses), rel=1e-5)


@pytest.mark.parametrize("length", LENGTHS)
def test_every_point_is_one_that_was_measured_and_they_are_in_order(length):
    records = rows(length, seed=length)
    points = reduced(records).reduced_to(100)[LOSS]
    steps = [point[0] for point in points]
    assert steps == sorted(set(steps))
    measured = {record["step"]: record for record in records}
    for step, tokens, seconds, value, *_ in points:
        assert (tokens, value) == (measured[step]["tokens_seen"], short(measured[step][LOSS]))
        assert seconds == pytest.approx((step - 1) / 8)
    assert points[-1][:1] == [length]


def test_a_short_curve_is_what_was_measured():
    records = rows(1000, seed=3)
    points = reduced(records).reduced_to(1000)
    assert values(points[LOSS]) == [short(record[LOSS]) for record in records]
    assert all(len(point) == 4 for point in points[LOSS])
    assert [point[0] for point in points[EVAL]] == list(range(50, 1001, 50))


@pytest.mark.parametrize("length", [300, 30_000])
@pytest.mark.parametrize("lost", ["nan", "inf"])
def test_a_value_that_is_no_finite_number_is_a_gap_of_its_own_curve(length, lost):
    records = rows(length, seed=1)
    records[199] |= {LOSS: None, "nonfinite": {LOSS: lost}}
    points = reduced(records).reduced_to(100)
    (gap,) = [point for point in points[LOSS] if point[3] is None]
    assert gap[0] == 200
    assert None not in values(points[EVAL])


@pytest.mark.parametrize("length", [300, 30_000])
def test_missing_steps_are_a_gap_in_every_curve(length):
    records = rows(length, seed=1)
    del records[220:240]
    points = reduced(records).reduced_to(100)
    for key in (LOSS, EVAL):
        (gap,) = [point for point in points[key] if point[3] is None]
        assert 220 < gap[0] < 241
    tenths = rows(length, seed=1)[::10]
    assert None not in values(reduced(tenths).reduced_to(100)[LOSS]), "a record of each tenth step is no gap"


def test_a_restart_replaces_what_came_after_its_first_step():
    first, second = rows(900, seed=1), rows(300, seed=2, first=701, attempt=2)
    for record in second:
        record["time"] += 50_000  # the night between them
    points = reduced(first + second).reduced_to(2000)[LOSS]
    kept = [record for record in first if record["step"] <= 700]
    assert values(points) == [short(record[LOSS]) for record in kept + second]
    seconds = [point[2] for point in points]
    assert seconds[-1] == pytest.approx((1000 - 1) / 8), "the pause is no training time"
    assert seconds == sorted(seconds)


def test_a_restart_from_far_back_wants_the_curve_read_again():
    first, second = rows(5 * TAIL, seed=1), rows(300, seed=2, first=1001, attempt=2)
    curve = reduced(first)
    with pytest.raises(Rewound) as rewound:
        curve.take(second)
    again = Reduced(ahead=rewound.value.ahead)
    again.take(first)
    again.take(second)
    assert again.num_rows == 1300
    points = again.reduced_to(2000)[LOSS]
    assert values(points) == [short(record[LOSS]) for record in first[:1000] + second]


def test_memory_is_bounded_and_damaged_values_do_no_harm():
    curve = Reduced()
    for start in range(0, 120_000, 20_000):
        records = rows(20_000, seed=start, first=1 + start)
        records[5] |= {LOSS: "text", "train/other": [1], "time": None, "tokens_seen": "x"}
        curve.take(records)
    assert curve.num_rows == 120_000
    assert len(curve.at) <= 2 * TAIL + 20_000
    assert all(len(parts.low) <= 2048 for parts in curve.stretches.values())
    assert len(curve.reduced_to(100)[LOSS]) <= 201


def test_rows_that_go_on_from_a_place_are_the_same_as_in_the_whole():
    records = rows(400, seed=9)
    curve, whole = Reduced(), reduced(records).reduced_to(1000)[LOSS]
    added: list = []
    for record in records:
        part = Reduced(curve.place)
        assert part.continues([record]) == (record["step"] > 1)
        part.take([record])
        added += part.reduced_to(1)[LOSS]
        curve.take([record])
    assert added == whole
