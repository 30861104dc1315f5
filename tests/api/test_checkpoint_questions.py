"""What the screen of checkpoints asks, of a run that was really trained."""

import shutil
import time
from pathlib import Path

import pytest

from raylm.api.launch import resume
from raylm.api.store import Store
from raylm.runs import Run
from raylm.runs.catalogue import list_runs
from tests.asking import ask, result
from tests.tiny import tiny_recipe, train_alone

EVERY_FIVE = {"every_steps": 5}
SHORT = ["train.max_steps=12", "name=branch"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    storage = str(tmp_path_factory.mktemp("trained") / "runs")
    recipe = tiny_recipe(train={"max_steps": 10}, evaluate=EVERY_FIVE)
    return train_alone(recipe, storage, "20260101-000000-tiny-0000")


@pytest.fixture
def run(trained, storage) -> Run:
    """Return a copy of the run, which a test may change."""
    shutil.copytree(trained.uri, Path(storage) / trained.run_id)
    return Run.open(storage, trained.run_id)


@pytest.fixture
def store(storage, tmp_path) -> Store:
    return Store(storage, folder=tmp_path)


def refusal(store, method, **args):
    answer = ask(store, method, **args)
    assert "error" in answer, answer
    return answer["error"]


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def rows(store, run):
    return {row["step"]: row for row in result(store, "checkpoints", run_id=run.run_id)}


def damage(run, step):
    folder = run.checkpoints.open(step)
    name = next(name for name in folder.names() if name.endswith(".distcp"))
    data = bytearray(folder.read(name))
    data[-1] ^= 1
    folder.write(name, bytes(data))


def test_checkpoints_are_listed_newest_first_with_what_a_person_chooses_by(store, run):
    found = result(store, "checkpoints", run_id=run.run_id)
    assert [row["step"] for row in found] == [10, 5]
    assert {row["state"] for row in found} == {"unverified"}
    assert all(row["bytes"] > 1000 and row["tokens_seen"] for row in found)
    assert all(abs(row["saved"] - time.time()) < 3600 for row in found)
    assert {"train/loss", "eval/loss"} <= set(found[0]["metrics"])
    best = min(found, key=lambda row: row["metrics"]["eval/loss"])
    assert [row["step"] for row in found if row["is_best"]] == [best["step"]]
    assert [row["pinned_by"] for row in found] == [[], []]


def test_a_verified_checkpoint_stays_good_until_a_file_is_written_again(store, run):
    assert result(store, "verify_checkpoint", run_id=run.run_id, step=5)["state"] == "good"
    assert {step: row["state"] for step, row in rows(store, run).items()} == {5: "good", 10: "unverified"}
    damage(run, 5)
    assert rows(store, run)[5]["state"] == "unverified"
    found = result(store, "verify_checkpoint", run_id=run.run_id, step=5)
    assert found["state"] == "bad"
    assert "checksum" in found["reason"]


def test_two_checkpoints_of_one_run_differ_in_step_metrics_and_what_a_resume_changed(store, run):
    resume(run, ["train.max_steps=15"], here=True)
    pair = [{"run_id": run.run_id, "step": step} for step in (5, 15)]
    found = result(store, "compare_checkpoints", checkpoints=pair)
    assert [one["step"] for one in found["checkpoints"]] == [5, 15]
    assert found["checkpoints"][0]["tokens_seen"] < found["checkpoints"][1]["tokens_seen"]
    assert found["metrics"]["eval/loss"][0] > found["metrics"]["eval/loss"][1]
    assert found["recipe"] == {"train.max_steps": [10, 15]}
    assert (found["data"], found["code"]) == ({}, {})


def test_a_comparison_needs_two_that_are_there(store, run):
    one = {"run_id": run.run_id, "step": 5}
    assert refusal(store, "compare_checkpoints", checkpoints=[one])["field"] == "checkpoints"
    assert "same" in refusal(store, "compare_checkpoints", checkpoints=[one, one])["message"]
    gone = refusal(store, "compare_checkpoints", checkpoints=[one, {**one, "step": 7}])
    assert (gone["field"], gone["mend"]) == ("step", "there are: 5, 10")


def test_a_fork_starts_once_with_its_changes_and_is_told_from_its_parent(store, run, storage):
    child_id = result(store, "run_id", name="branch")
    asked = {"run_id": run.run_id, "step": 5, "child_id": child_id, "overrides": SHORT}
    assert result(store, "fork", **asked) == {"run_id": child_id, "is_new": True}
    assert result(store, "fork", **asked) == {"run_id": child_id, "is_new": False}
    assert len(list_runs([storage])) == 2
    assert rows(store, run)[5]["pinned_by"] == [child_id]
    wait_for(lambda: result(store, "run", run_id=child_id)["status"] == "finished")
    child = Run.open(storage, child_id)
    assert (child.name, child.status().step, len(child.launches())) == ("branch", 12, 1)
    pair = [{"run_id": run.run_id, "step": 10}, {"run_id": child_id, "step": 12}]
    assert result(store, "compare_checkpoints", checkpoints=pair)["recipe"] == {"train.max_steps": [10, 12]}


def test_a_fork_that_cannot_start_leaves_nothing_behind(store, run, storage):
    asked = {"run_id": run.run_id, "step": 5, "child_id": "branch"}
    error = refusal(store, "fork", **asked, overrides=["train.max_step=12"])
    assert error["field"] == "train.max_step"
    assert "max_steps" in error["message"] + error["mend"]
    error = refusal(store, "fork", **asked, overrides=["data.sources.0.path=/nowhere.txt"])
    assert error["problems"][0]["field"].startswith("data.")
    assert refusal(store, "fork", **{**asked, "step": 7})["field"] == "step"
    assert [one.run_id for one in list_runs([storage])] == [run.run_id]
    assert rows(store, run)[5]["pinned_by"] == []


def test_another_runs_name_is_no_name_for_a_fork(store, run, storage):
    Run.create(storage, "taken")
    error = refusal(store, "fork", run_id=run.run_id, step=5, child_id="taken")
    assert (error["field"], error["mend"]) == ("run_id", "choose another name")
    assert rows(store, run)[5]["pinned_by"] == []


def test_an_export_answers_at_once_and_says_when_it_is_whole(store, run, tmp_path):
    asked = {"run_id": run.run_id, "step": 5, "folder": "model"}
    begun = result(store, "export", **asked)
    assert (begun["state"], begun["path"]) == ("writing", str(tmp_path / "model"))
    assert result(store, "export", **asked)["state"] == "writing"
    [done] = wait_for(lambda: [one for one in result(store, "exports") if one["state"] != "writing"])
    assert (done["state"], done["message"]) == ("written", "")
    assert (tmp_path / "model" / "model.safetensors").exists()
    assert done["bytes"] > 1000
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    error = refusal(store, "export", **asked)
    assert (error["field"], error["mend"]) == ("folder", "name a new folder")
    assert "is not empty" in error["message"]


def test_an_export_that_fails_says_why_and_leaves_no_folder(store, run, tmp_path):
    damage(run, 5)
    result(store, "export", run_id=run.run_id, step=5, folder="model")
    [done] = wait_for(lambda: [one for one in result(store, "exports") if one["state"] != "writing"])
    assert done["state"] == "failed"
    assert "checksum" in done["message"]
    assert not (tmp_path / "model").exists()
    assert refusal(store, "export", run_id=run.run_id, step=5, folder=" ")["field"] == "folder"


def test_what_others_stand_on_and_the_last_good_one_are_not_deleted(store, run):
    result(store, "fork", run_id=run.run_id, step=5, child_id="branch", overrides=SHORT)
    error = refusal(store, "delete_checkpoint", run_id=run.run_id, step=5)
    assert error["field"] == "step"
    assert "branch" in error["message"]
    assert error["mend"]
    wait_for(lambda: result(store, "run", run_id="branch")["status"] == "finished")
    result(store, "delete_checkpoint", run_id="branch", step=10)
    assert refusal(store, "delete_checkpoint", run_id="branch", step=12)["mend"] == "delete the run instead"
    assert result(store, "delete_checkpoint", run_id=run.run_id, step=10) == {
        "run_id": run.run_id,
        "step": 10,
    }
    assert list(rows(store, run)) == [5]


@pytest.mark.parametrize("method", ["verify_checkpoint", "delete_checkpoint"])
def test_a_step_that_is_none_is_refused(store, run, method):
    for step in (7, "5", None, True):
        assert refusal(store, method, run_id=run.run_id, step=step)["field"] == "step"
