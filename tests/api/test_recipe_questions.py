"""Keeping a form's recipe as a file, and beginning a recipe from a run or from a checkpoint."""

from pathlib import Path

import pytest

from raylm.api.store import Store
from raylm.recipe import Recipe
from raylm.runs import Run
from raylm.runs.names import is_run_name
from tests.asking import ask, result
from tests.tiny import smallest_values, tiny_recipe, train_alone


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    storage = str(tmp_path_factory.mktemp("parents") / "runs")
    return train_alone(tiny_recipe(train={"max_steps": 10}), storage, "20260101-000000-tiny-0000")


@pytest.fixture
def values(tmp_path: Path) -> dict:
    return smallest_values(tmp_path)


@pytest.fixture
def store(run, tmp_path: Path) -> Store:
    return Store(run.storage, folder=tmp_path)


def test_a_saved_recipe_is_what_the_preview_shows_and_a_starter(store, values, tmp_path):
    preview = result(store, "preview", values=values)
    assert preview["file"] == str(tmp_path / "tiny.yaml")
    saved = result(store, "save_recipe", values=values, file="tiny")
    assert saved["name"] == preview["file"]
    assert Path(saved["name"]).read_text() == preview["yaml"]
    assert {one["name"]: one["title"] for one in result(store, "starters")} == {saved["name"]: saved["title"]}
    assert Recipe.load(saved["name"]) == Recipe.from_values(values)


def test_a_file_is_replaced_only_when_told(store, values, tmp_path):
    result(store, "save_recipe", values=values, file="mine.yaml")
    before = (tmp_path / "mine.yaml").read_text()
    changed = {**values, "train": {**values["train"], "max_steps": 7}}
    [problem] = ask(store, "save_recipe", values=changed, file="mine")["error"]["problems"]
    assert (problem["field"], problem["code"]) == ("file", "exists")
    assert (tmp_path / "mine.yaml").read_text() == before
    result(store, "save_recipe", values=changed, file="mine", is_replacing=True)
    assert "max_steps: 7" in (tmp_path / "mine.yaml").read_text()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "/tmp/x", "a/b", "a\\b", "con", "x\n", "-x", "é", "x" * 65]
)
def test_a_name_that_would_lead_elsewhere_is_refused(store, values, tmp_path, name):
    assert not is_run_name(name)
    before = sorted(tmp_path.rglob("*"))
    for is_replacing in (False, True):
        asked = {"values": values, "file": name, "is_replacing": is_replacing}
        [problem] = ask(store, "save_recipe", **asked)["error"]["problems"]
        assert (problem["field"], "cannot name a file" in problem["message"]) == ("file", True)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_is_replaced_and_not_followed(store, values, tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    (tmp_path / "link.yaml").symlink_to(victim)
    assert "exists" in ask(store, "save_recipe", values=values, file="link")["error"]["message"]
    result(store, "save_recipe", values=values, file="link", is_replacing=True)
    assert victim.read_text() == "mine"
    assert not (tmp_path / "link.yaml").is_symlink()


def test_a_folder_in_the_way_and_a_wrong_recipe_are_refused(store, values, tmp_path):
    (tmp_path / "taken.yaml").mkdir()
    asked = {"values": values, "file": "taken", "is_replacing": True}
    assert "cannot be written" in ask(store, "save_recipe", **asked)["error"]["message"]
    wrong = {**values, "train": {"max_steps": 0}}
    error = ask(store, "save_recipe", values=wrong, file="wrong")["error"]
    assert "train.max_steps" in {problem["field"] for problem in error["problems"]}
    assert not (tmp_path / "wrong.yaml").exists()


def test_a_runs_recipe_is_a_start_as_it_ran(store, run):
    values = result(store, "start_from", run_id=run.run_id)
    assert Recipe.from_values(values) == Recipe.from_yaml(run.recipe_yaml())


def test_a_checkpoint_brings_its_model_and_tokenizer_under_another_recipe(store, run, values):
    assert result(store, "origins") == [{"run_id": run.run_id, "name": run.name, "steps": [5, 10]}]
    given = result(store, "start_from", run_id=run.run_id, step=5, values=values)
    assert given["init"] == {"from": f"{run.uri}@5"}
    assert given["model"]["path"] == f"{run.uri}/model"
    assert {name: given[name] for name in ("data", "train", "optimizer")} == {
        name: values[name] for name in ("data", "train", "optimizer")
    }
    assert result(store, "check", values=given, is_deep=True)["problems"] == []
    own = result(store, "start_from", run_id=run.run_id, step=10)
    assert (own["init"], own["train"]["max_steps"]) == ({"from": f"{run.uri}@10"}, 10)


def test_a_checkpoint_that_is_not_there_is_refused(store, run):
    for step in (7, "5", True, [5]):
        assert "no checkpoint" in ask(store, "start_from", run_id=run.run_id, step=step)["error"]["message"]
    assert "no id of a run" in ask(store, "start_from", run_id="../x")["error"]["message"]
    assert "values" in ask(store, "start_from", run_id=run.run_id, step=5, values=[1])["error"]["message"]
