"""A run keeps the data it began with, down to its mixture; a fork may change it, but not its tokenizer."""

import shutil

import pytest

from raylm.api.launch import drive, resume
from raylm.config import BadInput
from raylm.recipe import Recipe
from raylm.runs.fork import fork
from raylm.runs.run import Run
from tests.mixed import mixed_recipe
from tests.tiny import train_alone


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("mixed")
    return train_alone(mixed_recipe(folder), str(folder / "runs"), "mixed")


@pytest.fixture
def run(trained, storage) -> Run:
    shutil.copytree(trained.storage, storage)
    return Run.open(storage, trained.run_id)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        (
            "data.sources.1.weight=2",
            "the mixture is second 2, the checkpoint's was second 1;",
        ),
        ("data.sources.0.max_epochs=9", "is first 3 and 9 epochs at most, the checkpoint's was first 3;"),
        ("data.packing=best_fit", "the packing is policy best_fit, the checkpoint's was policy stream;"),
        ("train.seed=5", "train.seed is 5, the checkpoint's was 0"),
    ],
)
def test_a_resume_with_another_plan_is_refused_by_what_differs(run, override, says):
    with pytest.raises(BadInput, match=says):
        resume(run, ["train.max_steps=15", override])
    assert run.checkpoints.steps()[-1] == 10


def start_fork(run: Run, *overrides: str) -> Run:
    child = fork(run, 10, run_id="child")
    recipe = Recipe.from_yaml(run.recipe_yaml(), ["train.max_steps=15", *overrides])
    drive(child, child.claim_launch(recipe.to_yaml(), how="here"))
    return child


def test_a_fork_with_other_weights_begins_anew_in_its_data(run):
    child = start_fork(run, "data.sources.1.weight=2")
    assert child.status().step == 15
    assert [event["event"] for event in child.events()].count("new_cursor") == 1
    assert child.checkpoints.show(15).facts["cursor"] == 5 * 8


def test_a_fork_with_the_same_data_goes_on_in_it(run):
    assert start_fork(run).checkpoints.show(15).facts["cursor"] == 15 * 8


def test_row_58_a_fork_with_another_tokenizer_is_refused(run):
    before = run.folder.read("tokenizer/tokenizer.json")
    with pytest.raises(
        BadInput, match=r"tokenizer: differs from the checkpoint's \(sha256 \w{12} vs \w{12}\)"
    ):
        start_fork(run, "tokenizer.kind=byte_bpe", "tokenizer.vocab_size=300")
    assert run.folder.read("tokenizer/tokenizer.json") == before


def test_steps_that_the_limits_on_passes_do_not_allow_are_refused_before_the_first(trained, storage):
    recipe = Recipe.from_yaml(
        trained.recipe_yaml(),
        ["data.sources.0.max_epochs=0.1", "data.sources.1.max_epochs=0.1", "train.max_steps=100"],
    )
    with pytest.raises(BadInput, match=r"draws 800 sequences, the sources' max_epochs allow 1\d\d"):
        train_alone(recipe, storage, "long")
    assert not Run.open(storage, "long").checkpoints.steps()


@pytest.mark.parametrize("packing", ["best_fit", "document"])
@pytest.mark.parametrize("across", ["true", "false"])
def test_packed_documents_train(trained, storage, packing, across):
    overrides = [f"data.packing={packing}", f"data.attend_across_documents={across}"]
    run = train_alone(Recipe.from_yaml(trained.recipe_yaml(), overrides), storage, "packed")
    facts = run.checkpoints.show(10).facts
    assert facts["metrics"]["eval/loss"] < 4.2  # all 67 characters alike are 4.2
    assert facts["data_plan"]["packing"]["policy"] == packing
    (prepared,) = [event for event in run.events() if event["event"] == "prepared"]
    assert any("are longer than a row of 32 tokens" in note for note in prepared["notes"])
