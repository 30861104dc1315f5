"""The engine trains, and gives the same numbers however it is spread and however often it is interrupted."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from raylm.config.errors import RunFailed
from raylm.engine.restore import restore
from raylm.objectives import Objective
from raylm.recipe import Recipe
from raylm.runs.read import curve
from raylm.runs.run import Run
from tests.killed import killed_and_resumed
from tests.tiny import ONCE, tiny_recipe, train_alone, train_together


def test_training_lowers_the_loss_and_evaluates_the_whole_split_at_the_end(storage):
    run = train_alone(tiny_recipe(train={"max_steps": 60}, **ONCE), storage, "a")
    losses = [loss for _, loss in curve(run, "train/loss")]
    assert len(losses) == 60
    assert sum(losses[-5:]) / 5 < losses[0] - 0.8
    ((step, eval_loss),) = curve(run, "eval/loss")
    assert step == 60
    assert abs(eval_loss - losses[-1]) < 0.5
    assert run.status().status == "finished"


def test_ray_is_never_imported_without_workers(storage, tmp_path):
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(tiny_recipe(train={"max_steps": 6}, checkpoint={"every_steps": 3}).to_yaml())
    code = (
        "import sys; from raylm.recipe import Recipe; import raylm;"
        f"raylm.train(Recipe.load({str(recipe)!r}), run_id='a', storage={storage!r});"
        "sys.exit('ray' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_micro_batches_give_the_gradient_of_the_whole_batch(storage, precision):
    shared = {"max_steps": 8, "precision": precision}
    whole = train_alone(
        tiny_recipe(train={**shared, "micro_batch_size": 8}, model={"dropout": 0.0}, **ONCE), storage, "whole"
    )
    parts = train_alone(
        tiny_recipe(train={**shared, "micro_batch_size": 2}, model={"dropout": 0.0}, **ONCE), storage, "parts"
    )
    tolerance = 1e-5 if precision == "float32" else 3e-2
    for (_, one), (_, other) in zip(curve(whole, "train/loss"), curve(parts, "train/loss"), strict=True):
        assert one == pytest.approx(other, rel=tolerance)


def test_the_llama_family_trains_too(storage):
    model = {"kind": "llama", "num_key_value_heads": 1, "dropout": 0.0}
    run = train_alone(tiny_recipe(model=model), storage, "llama")
    losses = [loss for _, loss in curve(run, "train/loss")]
    assert losses[-1] < losses[0]


def test_two_processes_give_one_process_s_losses(storage):
    recipe = tiny_recipe(model={"dropout": 0.0}, train={"max_steps": 30}, **ONCE)
    one, two = train_alone(recipe, storage, "one"), train_together(recipe, storage, "two", world_size=2)
    for (_, alone), (_, together) in zip(curve(one, "train/loss"), curve(two, "train/loss"), strict=True):
        assert together == pytest.approx(alone, abs=1e-4)
    assert curve(two, "eval/loss")[0][1] == pytest.approx(curve(one, "eval/loss")[0][1], abs=1e-4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_sharded_weights_give_replicated_weights_losses(storage, precision):
    sections = {"model": {"dropout": 0.0}, "train": {"max_steps": 30, "precision": precision}, **ONCE}
    ddp = train_together(tiny_recipe(**sections), storage, "ddp", world_size=2)
    fsdp = train_together(
        tiny_recipe(**sections, scaling={"strategy": "fsdp"}), storage, "fsdp", world_size=2
    )
    tolerance = 1e-5 if precision == "float32" else 2e-2
    for (_, one), (_, other) in zip(curve(ddp, "train/loss"), curve(fsdp, "train/loss"), strict=True):
        assert other == pytest.approx(one, rel=tolerance)


def test_a_sharded_checkpoint_goes_on_with_one_process_and_again_with_two(storage):
    sharded = tiny_recipe(scaling={"strategy": "fsdp"}, model={"dropout": 0.0}, train={"max_steps": 30})
    twin = train_together(sharded, storage, "twin", world_size=2)
    run = train_together(sharded, storage, "moved", world_size=2, last_step=10)
    train_together(sharded, storage, "moved", world_size=1, last_step=20)
    train_together(sharded, storage, "moved", world_size=2)
    for (_, one), (_, other) in zip(curve(twin, "train/loss"), curve(run, "train/loss"), strict=True):
        assert other == pytest.approx(one, rel=1e-5)
    resumed = [event["world_size"] for event in run.events() if event["event"] == "resumed"]
    assert resumed == [1, 2]


@pytest.mark.parametrize("step", [37, 111])
def test_a_killed_run_resumes_bit_for_bit(storage, tmp_path, step):
    recipe = tiny_recipe(train={"max_steps": 160}, checkpoint={"every_steps": 25})
    run, twin = killed_and_resumed(recipe, storage, tmp_path, step)
    for name, weight in restore(twin).model.state_dict().items():
        assert torch.equal(weight, restore(run).model.state_dict()[name])


NAN_AT = """
from typing import Literal
from raylm.objectives.causal import Causal

class NanAt(Causal):
    kind: Literal["nan_at"] = "nan_at"
    index: int

    def make_batch(self, rows, frame):
        import torch

        is_poisoned = any(row.index == self.index for row in rows)
        factor = torch.tensor(float("nan") if is_poisoned else 1.0)
        return super().make_batch(rows, frame) | {"factor": factor}

    def loss(self, model, batch):
        return {"loss": super().loss(model, batch)["loss"] * batch["factor"]}
"""


def test_a_loss_that_is_no_number_stops_the_run_before_the_weights_are_poisoned(
    storage, tmp_path, monkeypatch
):
    monkeypatch.setattr(Objective, "kinds", dict(Objective.kinds))  # the plug-in's kind ends with the test
    (tmp_path / "nan_at.py").write_text(NAN_AT)
    recipe = tiny_recipe().model_dump(mode="json", exclude_none=True)
    recipe |= {"plugins": [str(tmp_path / "nan_at.py")], "objective": {"kind": "nan_at", "index": 8 * 12}}
    with pytest.raises(RunFailed, match="step 13: loss is not a finite number"):
        train_alone(Recipe.from_values(recipe), storage, "nan")
    run = Run.open(storage, "nan")
    assert run.status().status == "failed"
    assert "learning_rate" in run.status().mend
    assert run.checkpoints.steps() == [5, 10]
    (kept,) = Recipe.from_yaml(run.recipe_yaml()).plugins
    assert Path(kept).is_relative_to(run.uri), "a resume finds the plug-in though its file may be gone"
    assert Path(kept).read_text() == NAN_AT
    assert all(torch.isfinite(weight).all() for weight in _weights_of_all(run))


def _weights_of_all(run: Run):
    for step in run.checkpoints.steps():
        yield from restore(run, step).model.state_dict().values()


def test_target_loss_ends_the_run_early(storage):
    recipe = tiny_recipe(train={"max_steps": 60, "target_loss": 3.2}, evaluate={"every_steps": 5})
    run = train_alone(recipe, storage, "target")
    status = run.status()
    assert status.status == "finished"
    assert "target" in status.reason
    assert status.step < 60
    assert curve(run, "eval/loss")[-1][1] <= 3.2
    assert status.step in run.checkpoints.steps()
