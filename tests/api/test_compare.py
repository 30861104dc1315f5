"""`raylm.api.compare`: what differs between runs that were really trained, and what their figures say."""

import json
import math

import pytest

from raylm.api.compare import POINTS, compare, is_same, thinned
from raylm.config import BadInput
from raylm.runs import MetricsWriter, Run, StepRecord, curve, fork
from raylm.runs.evaluations import evaluations
from tests.tiny import CORPUS, tiny_recipe, train_alone

EVERY_FIVE = {"every_steps": 5}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return three runs: one, its twin with another learning rate, and one of another text."""
    folder = tmp_path_factory.mktemp("compared")
    storage = str(folder / "runs")
    other = folder / "other.txt"
    other.write_text(CORPUS.read_text()[5_000:35_000])
    source = {"kind": "text", "path": str(other), "licence": "MIT"}
    recipes = {
        "slow": tiny_recipe(evaluate=EVERY_FIVE),
        "fast": tiny_recipe(evaluate=EVERY_FIVE, optimizer={"learning_rate": 3e-2}),
        "other": tiny_recipe(evaluate=EVERY_FIVE, data={"sources": [source]}),
    }
    return {name: train_alone(recipe, storage, name) for name, recipe in recipes.items()}


def made(storage, run_id, recipe="train:\n  seed: 0\n", **header):
    """Return a run that has a recipe and has not begun."""
    run = Run.create(storage, run_id, header)
    run.claim_launch(recipe, how="here")
    return run


def evaluated(run, name, metrics, step=20, **fields):
    """Keep an evaluation in the run, in the form in which raylm evaluate does."""
    record = {"name": name, "kind": "multiple_choice", "run_id": run.run_id, "step": step}
    record |= {
        "settings": {"limit": None},
        "data": {"piqa.jsonl": "a" * 64},
        "metrics": metrics,
        "intervals": {},
    }
    run.folder.write(f"evaluations/step-{step:08d}/{name}.json", json.dumps(record | fields).encode())


def measured(run, *values):
    """Write a curve of eval/loss, one value a step."""
    writer = MetricsWriter(run, 1)
    for step, value in enumerate(values, 1):
        writer.append(StepRecord(step, 1, step, float(step), {"eval/loss": value}))
    writer.close()


def test_two_learning_rates_differ_in_that_and_in_nothing_else(trained):
    found = compare([trained["slow"], trained["fast"]])
    assert found.recipe == {"optimizer.learning_rate": [0.003, 0.03]}
    assert (found.data, found.code, found.environment, found.notes) == ({}, {}, {}, [])
    assert all(is_same(entries) for entries in found.sources.values())
    assert [run["unknown"] for run in found.runs] == [[], []]


def test_every_recorded_metric_has_its_last_and_its_best_value(trained):
    run = trained["slow"]
    found = compare([run, trained["fast"]]).runs[0]
    losses = curve(run, "train/loss")
    best_step, best = min(losses, key=lambda point: point[1])
    assert found["metrics"]["train/loss"] == {
        "last": losses[-1][1], "last_step": 20, "best": best, "best_step": best_step
    }  # fmt: skip
    assert found["metrics"]["train/learning_rate"]["best"] is None
    assert found["curves"]["eval/loss"] == curve(run, "eval/loss")
    assert [step for step, _ in found["curves"]["eval/loss"]] == [5, 10, 15, 20]


def test_another_text_is_another_source_and_dataset(trained):
    found = compare([trained["slow"], trained["other"]])
    assert set(found.recipe) == {"data.sources.0.path", "data.sources.0.licence"}
    assert "dataset" in found.data
    assert found.sources["other"][0] is None
    assert (found.sources["other"][1]["licence"], found.sources["other"][1]["documents"]) == ("MIT", 1)
    assert found.sources["tiny_corpus"][1] is None
    assert "eval/" in found.notes[0]


def test_evaluations_of_the_same_thing_have_a_difference_to_the_first_run(storage):
    first, second, third = (made(storage, name) for name in ("a", "b", "c"))
    evaluated(first, "piqa", {"accuracy": 0.5, "answer": "text"}, intervals={"accuracy": [0.4, 0.6]})
    evaluated(second, "piqa", {"accuracy": 0.1}, step=10)
    evaluated(second, "piqa", {"accuracy": 0.75}, data={"elsewhere/piqa.jsonl": "a" * 64})
    evaluated(third, "piqa", {"accuracy": 0.75}, data={"piqa.jsonl": "b" * 64})
    [row] = compare([first, second, third]).evaluations
    assert (row["name"], row["metric"]) == ("piqa", "accuracy")
    assert [each["step"] for each in row["runs"]] == [20, 20, 20]
    assert [each["difference"] for each in row["runs"]] == [None, 0.25, None]
    assert [each["differs_in"] for each in row["runs"]] == [[], [], ["data"]]
    assert row["runs"][0]["interval"] == [0.4, 0.6]


def test_an_evaluation_with_other_settings_has_no_difference(storage):
    first, second = made(storage, "a"), made(storage, "b")
    evaluated(first, "piqa", {"accuracy": 0.5})
    evaluated(second, "piqa", {"accuracy": 0.6}, settings={"limit": 10})
    evaluated(second, "text", {"loss": 1.0})
    piqa, text = compare([first, second]).evaluations
    assert (piqa["runs"][1]["difference"], piqa["runs"][1]["differs_in"]) == (None, ["settings"])
    assert text["runs"][0] is None
    assert text["runs"][1]["difference"] is None


@pytest.mark.parametrize(("kind", "difference"), [("sequence_classification", 0.25), ("validation", None)])
def test_own_rows_are_the_same_under_another_seed_but_the_loss_is_not(storage, kind, difference):
    first, second = made(storage, "a"), made(storage, "b")
    rows = f"/datasets/{'c' * 64}"
    evaluated(first, "own", {"accuracy": 0.5}, kind=kind, data={f"/here{rows}": "plan of seed 0"})
    evaluated(second, "own", {"accuracy": 0.75}, kind=kind, data={f"s3://there{rows}": "plan of seed 1"})
    [row] = compare([first, second]).evaluations
    assert row["runs"][1]["difference"] == difference


def test_files_that_are_no_evaluation_are_left_out(storage):
    run = made(storage, "a")
    evaluated(run, "late", {"loss": 1.0}, step=30)
    evaluated(run, "early", {"loss": 2.0}, step=5)
    run.folder.write("evaluations/step-00000005/torn.json", b"{")
    run.folder.write("evaluations/step-00000005/bare.json", b"{}")
    run.folder.write("evaluations/notes/early.json", b'{"metrics": {}}')
    assert [(one["step"], one["name"]) for one in evaluations(run)] == [(5, "early"), (30, "late")]


def test_paths_under_the_storage_are_short_unless_two_would_become_one(tmp_path):
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    recipe = "init:\n  from: {}/base@{}\n"
    near = compare([made(one, "a", recipe.format(one, 5)), made(one, "b", recipe.format(one, 10))])
    assert near.recipe == {"init.from": ["base@5", "base@10"]}
    assert [run["init"] for run in near.runs] == ["base@5", "base@10"]
    far = compare([Run.open(one, "a"), made(two, "a", recipe.format(two, 5))])
    assert far.recipe == {"init.from": [f"{one}/base@5", f"{two}/base@5"]}


def test_code_and_environment_are_told_apart(storage):
    facts = {"git": "a" * 40, "packages": {"raylm": "1.0", "torch": "2.0"}, "cpu_count": 2}
    first = made(storage, "a", **facts)
    second = made(storage, "b", **facts | {"git": "b" * 40, "packages": {"raylm": "1.0", "torch": "2.1"}})
    second.folder.write("plugins/mine-0123456789ab.py", b"")
    for run, device in ((first, "cpu"), (second, "NVIDIA H100")):
        run.emit("rank0", "started", device="gone")
        run.emit("rank0", "started", device=device, threads=1, precision="float32")
    found = compare([first, second])
    assert found.code == {"git": ["a" * 40, "b" * 40], "plugins": [[], ["mine-0123456789ab.py"]]}
    assert found.environment == {"torch": ["2.0", "2.1"], "device": ["cpu", "NVIDIA H100"]}


def test_the_recipe_of_the_last_launch_counts_and_the_change_is_noted(storage):
    first, second = made(storage, "a"), made(storage, "b")
    second.folder.write("launches/2.json", b"{}")
    second.folder.write("launches/2.yaml", b"train:\n  seed: 7\n")
    found = compare([first, second])
    assert found.recipe == {"train.seed": [0, 7]}
    assert found.notes == ["b: launch 2 changed train.seed"]


def test_a_damaged_run_is_compared_as_far_as_it_can_be_read(trained, storage):
    run = Run.create(storage, "torn")
    run.folder.write("run.json", b"{")
    run.folder.write("launches/1.yaml", b"a: [")
    found = compare([trained["slow"], run])
    assert found.runs[1]["status"] == "lost"
    assert found.runs[1]["unknown"] == ["recipe", "data", "code", "environment"]
    assert (found.recipe, found.data) == ({}, {})


def test_a_fork_has_its_parents_curve_and_no_more_than_that(storage):
    parent = made(storage, "parent")
    measured(parent, 3.0, 2.0, 1.0)
    parent.checkpoints.staging(2, "t")
    parent.checkpoints.commit(2, [], {})
    child = fork(parent, 2, run_id="child")
    found = compare([parent, child])
    assert [run["curves"]["eval/loss"] for run in found.runs] == [
        [(1, 3.0), (2, 2.0), (3, 1.0)],
        [(1, 3.0), (2, 2.0)],
    ]


def test_a_new_attempt_replaces_what_the_old_one_measured_from_there_on(storage):
    first, second = made(storage, "a"), made(storage, "b")
    measured(second, 4.0, 3.0, 2.0, 1.0)
    writer = MetricsWriter(second, 2)
    writer.append(StepRecord(3, 2, 3, 3.0, {"train/loss": 9.0}))
    writer.close()
    found = compare([first, second]).runs[1]
    assert found["curves"] == {"eval/loss": [(1, 4.0), (2, 3.0)], "train/loss": [(3, 9.0)]}
    assert found["curves"]["eval/loss"] == curve(second, "eval/loss")


def test_a_loss_that_is_no_number_is_null_in_json_and_never_the_best(storage):
    first, second = made(storage, "a"), made(storage, "b")
    measured(first, math.nan, 3.0, math.nan)
    measured(second, 3.0, 2.0)
    found = compare([first, second])
    values = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert math.isnan(found.runs[0]["metrics"]["eval/loss"]["last"])
    assert values["runs"][0]["metrics"]["eval/loss"] == {
        "last": None, "last_step": 3, "best": 3.0, "best_step": 2
    }  # fmt: skip


def test_the_best_accuracy_is_the_highest(storage):
    first, second = made(storage, "a"), made(storage, "b")
    writer = MetricsWriter(first, 1)
    for step, accuracy in enumerate((0.5, 0.75, 0.25), 1):
        writer.append(StepRecord(step, 1, step, float(step), {"eval/accuracy": accuracy}))
    writer.close()
    found = compare([first, second]).runs[0]["metrics"]["eval/accuracy"]
    assert (found["best"], found["best_step"], found["last"]) == (0.75, 2, 0.25)


def test_a_long_curve_keeps_its_ends_its_minima_and_its_maxima():
    points = [(step, float(step % 7)) for step in range(1_000)]
    points[333], points[777] = (333, 50.0), (777, -50.0)
    kept = thinned(points)
    assert len(kept) <= POINTS
    assert kept == sorted(kept)
    assert {points[0], points[333], points[777], points[-1]} <= {*kept}
    assert thinned(points[:POINTS]) == points[:POINTS]


def test_one_run_and_a_run_given_twice_are_refused(storage):
    run = made(storage, "a")
    with pytest.raises(BadInput, match="two or more"):
        compare([run])
    with pytest.raises(BadInput, match="a is given twice"):
        compare([run, made(storage, "b"), Run.open(storage, "a")])
