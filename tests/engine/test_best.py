"""Which evaluation is the best: when a run ends early, and which checkpoint stays."""

from raylm.runs.catalogue import find
from raylm.runs.read import curve
from tests.families import family_recipe
from tests.tiny import train_alone
from tests.tiny_tasks import task_recipe


def test_a_run_ends_when_its_metric_is_no_longer_better_and_keeps_the_best(storage, tmp_path):
    recipe = task_recipe(
        "sequence_classification",
        tmp_path,
        train={"max_steps": 400},
        optimizer={"learning_rate": 0.02},
        evaluate={"every_steps": 5, "metric": "eval/loss", "patience": 3},
        checkpoint={"every_steps": 400, "keep_last": 1, "keep_best": True},
    )
    run = train_alone(recipe, storage, "stopped")
    found = dict(curve(run, "eval/loss"))
    best = min(found, key=found.__getitem__)
    status = run.status()
    assert status.status == "finished"
    assert status.step == max(found) == best + 15 < 400
    assert f"eval/loss was best at step {best}" in status.reason
    assert run.checkpoints.steps() == [best, status.step]
    assert run.checkpoints.show(status.step).facts["best"]["step"] == best


def test_each_loss_of_an_objective_is_better_when_it_is_lower(storage):
    recipe = family_recipe(
        "bert",
        train={"max_steps": 40},
        evaluate={"every_steps": 10, "metric": "eval/masked"},
        checkpoint={"every_steps": 40, "keep_best": True},
    )
    run = train_alone(recipe, storage, "run")
    found = dict(curve(run, "eval/masked"))
    assert found[40] < found[10], "else it learned nothing and this says nothing"
    assert run.checkpoints.show(40).facts["best"]["value"] == min(found.values())


def test_accuracy_is_better_when_it_is_higher(storage, tmp_path):
    recipe = task_recipe(
        "sequence_classification",
        tmp_path,
        train={"max_steps": 40},
        evaluate={"every_steps": 5, "metric": "eval/accuracy"},
        checkpoint={"every_steps": 40, "keep_last": 1, "keep_best": True},
    )
    run = train_alone(recipe, storage, "run")
    found = dict(curve(run, "eval/accuracy"))
    best = run.checkpoints.show(40).facts["best"]
    assert best["value"] == max(found.values())
    assert found[best["step"]] == best["value"]
    assert best["step"] in run.checkpoints.steps()
    assert find("run@best", [storage])[1] == best["step"]
