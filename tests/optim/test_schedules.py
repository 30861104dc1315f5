"""Every schedule rises to its peak in a line, never passes it, and is a function of the step alone."""

import itertools
import math

import pytest

from raylm.config import discover
from raylm.optim.schedules import Schedule

discover("raylm.optim.schedules")
KINDS = sorted(Schedule.kinds)
DECAYING = sorted(kind for kind, chosen in Schedule.kinds.items() if chosen().decay(1.0) == 0)
PEAK, LOWEST, WARMUP, END = 1e-3, 1e-4, 100, 2000


def schedule(kind: str, **fields) -> Schedule:
    shared = {"warmup_steps": WARMUP, "min_learning_rate": LOWEST}
    return Schedule.model_validate({"kind": kind, **shared, **fields})


def rates(kind: str, last: int = END, **fields) -> list[float]:
    """Return the rates of the steps 1 .. last."""
    return [schedule(kind, **fields).learning_rate(step, PEAK, END) for step in range(1, last + 1)]


def nanogpt_learning_rate(iteration: int) -> float:
    """Return what nanoGPT's train.py computes for an iteration, counted from 0."""
    if iteration < WARMUP:
        return PEAK * (iteration + 1) / (WARMUP + 1)
    progress = (iteration - WARMUP) / (END - WARMUP)
    return LOWEST + 0.5 * (1.0 + math.cos(math.pi * progress)) * (PEAK - LOWEST)


def test_all_but_the_constant_one_decay():
    assert set(KINDS) - set(DECAYING) == {"constant"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_warm_up_is_a_straight_line_from_above_zero_to_the_peak(kind):
    rising = rates(kind)[: WARMUP + 1]
    assert rising[0] == pytest.approx(PEAK / (WARMUP + 1))
    assert rising[-1] == PEAK
    steps = [after - before for before, after in itertools.pairwise(rising)]
    assert steps == pytest.approx([PEAK / (WARMUP + 1)] * WARMUP)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_warm_up_the_first_step_has_the_peak(kind):
    assert rates(kind, warmup_steps=0)[0] == PEAK


@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_is_never_above_the_peak_and_never_rises_after_it(kind):
    after = rates(kind, 3 * END)[WARMUP:]
    assert max(after) == PEAK
    assert all(later <= earlier for earlier, later in itertools.pairwise(after))
    assert min(after) >= LOWEST * (1 - 1e-12)


@pytest.mark.parametrize("kind", DECAYING)
def test_the_decay_ends_at_the_lowest_rate_and_stays_there(kind):
    after = rates(kind, 3 * END)
    assert after[END - 1] == pytest.approx(LOWEST, rel=0.06)
    assert after[END:] == pytest.approx([LOWEST] * (2 * END))


@pytest.mark.parametrize("kind", DECAYING)
def test_a_run_shorter_than_its_warm_up_ends_while_it_rises(kind):
    chosen = schedule(kind)
    assert chosen.learning_rate(50, PEAK, 50) == pytest.approx(PEAK * 50 / 101)
    assert chosen.learning_rate(101, PEAK, 50) == PEAK


@pytest.mark.parametrize("kind", KINDS)
def test_the_rate_of_a_step_does_not_depend_on_what_was_asked_before(kind):
    asked = schedule(kind)
    backwards = [asked.learning_rate(step, PEAK, END) for step in range(END, 0, -1)]
    assert backwards[::-1] == rates(kind)


def test_cosine_gives_nanogpts_published_rates():
    expected = [nanogpt_learning_rate(iteration) for iteration in range(END)]
    assert rates("cosine") == pytest.approx(expected, rel=1e-12)


def test_the_stable_part_holds_the_peak_until_the_decay_begins():
    found = rates("warmup_stable_decay", decay_share=0.2)
    begin = WARMUP + round(0.8 * (END - WARMUP))
    assert set(found[WARMUP:begin]) == {PEAK}
    assert found[begin + 1] < PEAK
    middle = (begin + END) // 2
    assert found[middle] == pytest.approx((PEAK + LOWEST) / 2, rel=1e-6)
