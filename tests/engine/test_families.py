"""Every family trains from random weights; no cut, spread or stop of a run changes its numbers."""

import pytest
import torch

from raylm.engine.restore import restore
from raylm.runs.read import curve
from raylm.runs.run import Run
from tests.families import FAMILIES, family_recipe
from tests.killed import killed_and_resumed
from tests.tiny import ONCE, train_alone, train_together

KINDS = sorted(FAMILIES)


def losses(run: Run) -> list[float]:
    return [loss for _, loss in curve(run, "train/loss")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_family_learns_and_is_judged_by_what_it_predicts(kind, precision, storage):
    recipe = family_recipe(kind, train={"max_steps": 60, "precision": precision}, **ONCE)
    run = train_alone(recipe, storage, "run")
    found = losses(run)
    assert sum(found[-8:]) / 8 < sum(found[:3]) / 3 - 0.3
    last = dict(curve(run, "eval/loss"))
    assert last[60] < found[0]
    (entropy,) = [value for _, value in curve(run, "train/unigram_entropy")]
    assert 3 < entropy < 6.3  # of 400 or 500 kinds of tokens: log 500 = 6.2
    has_bits = bool(curve(run, "eval/bits_per_byte"))
    assert has_bits == recipe.objective.is_likelihood


@pytest.mark.parametrize("kind", KINDS)
def test_micro_batches_give_the_gradient_of_the_whole_batch(kind, storage):
    one, other = (
        train_alone(
            family_recipe(kind, train={"max_steps": 8, "micro_batch_size": size}, **ONCE), storage, f"{size}"
        )
        for size in (8, 2)
    )
    assert losses(one) == pytest.approx(losses(other), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_and_sharded_weights_give_one_processs_losses(kind, storage):
    recipe = family_recipe(kind, train={"max_steps": 12}, **ONCE)
    alone = losses(train_alone(recipe, storage, "one"))
    assert losses(train_together(recipe, storage, "two", world_size=2)) == pytest.approx(alone, abs=1e-4)
    sharded = family_recipe(kind, train={"max_steps": 12}, scaling={"strategy": "fsdp"}, **ONCE)
    assert losses(train_together(sharded, storage, "fsdp", world_size=2)) == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_run_of_any_family_resumes_bit_for_bit(kind, storage, tmp_path):
    recipe = family_recipe(
        kind, model={"dropout": 0.1}, train={"max_steps": 60}, checkpoint={"every_steps": 10}
    )
    run, twin = killed_and_resumed(recipe, storage, tmp_path)
    for name, weight in restore(twin).model.state_dict().items():
        assert torch.equal(weight, restore(run).model.state_dict()[name])
