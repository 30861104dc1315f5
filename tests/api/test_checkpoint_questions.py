"""What the screen of checkpoints asks, of a run that was really trained."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from raylm.api.launch import resume
from raylm.api.store import Store
from raylm.runs import Folder, Run
from raylm.runs.catalogue import list_runs
from tests.asking import ask, result
from tests.tiny import tiny_recipe, train_alone

EVERY_FIVE = {"every_steps": 5}
# Another window's process, until it is killed.
EXPORTER = """import sys, time
from raylm.api.store import Store
store = Store(sys.argv[1], sys.argv[2])
print(store.answer("export", {"run_id": sys.argv[3], "step": 5, "folder": "model"}), flush=True)
time.sleep(60)
"""
GONE = "the process that wrote it has ended; export it again"
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
    assert verified(store, run, 5)["state"] == "good"
    assert {step: row["state"] for step, row in rows(store, run).items()} == {5: "good", 10: "unverified"}
    damage(run, 5)
    assert rows(store, run)[5]["state"] == "unverified"
    found = verified(store, run, 5)
    assert found["state"] == rows(store, run)[5]["state"] == "bad"
    assert "checksum" in found["reason"]


def test_a_verification_goes_on_by_itself_and_is_begun_once(store, run, monkeypatch):
    gate, reader = threading.Event(), Folder.reader
    monkeypatch.setattr(Folder, "reader", lambda folder, name: gate.wait(60) and reader(folder, name))
    for _ in range(2):
        begun = result(store, "verify_checkpoint", run_id=run.run_id, step=5)
        assert (begun["state"], begun["bytes"]) == ("reading", 0)
    assert len(result(store, "verifications")) == 1
    gate.set()
    assert verified(store, run, 5)["state"] == "good"


def verified(store, run, step):
    """Have a checkpoint verified and return what was found."""
    found = result(store, "verify_checkpoint", run_id=run.run_id, step=step)
    while found["state"] == "reading":
        time.sleep(0.01)
        (found,) = [one for one in result(store, "verifications") if one["step"] == step]
    assert found["state"] == "bad" or found["bytes"] == found["total_bytes"] > 0
    return found


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
    [done] = wait_for(lambda: exports(store, run, "written", "failed"))
    assert (done["state"], done["message"]) == ("written", "")
    assert (tmp_path / "model" / "model.safetensors").exists()
    assert done["bytes"] > 1000
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    error = refusal(store, "export", **asked)
    assert (error["field"], error["mend"]) == ("folder", "name a new folder")
    assert "is not empty" in error["message"]


def exports(store, run, *states):
    """Return the run's exports in one of the states."""
    return [one for one in result(store, "exports", run_id=run.run_id) if one["state"] in states]


def test_every_window_knows_an_export_and_that_its_writer_has_died(store, run, storage, tmp_path):
    begin = "import sys, time; from raylm.api.store import Store; store = Store(sys.argv[1], sys.argv[2]);"
    begin += (
        "print(store.answer('export', {'run_id': sys.argv[3], 'step': 5, 'folder': 'model'}), flush=True);"
    )
    command = [sys.executable, "-c", f"{begin} time.sleep(60)", storage, str(tmp_path), run.run_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as other:
        assert "'writing'" in other.stdout.readline()
        asked = {"run_id": run.run_id, "step": 5, "folder": "model"}
        assert [one["state"] for one in result(store, "exports", run_id=run.run_id)] == ["writing"]
        assert result(store, "export", **asked)["state"] == "writing"  # the same one: none is begun
        os.killpg(other.pid, signal.SIGKILL)
    [gone] = result(store, "exports", run_id=run.run_id)
    assert (gone["state"], gone["message"]) == ("failed", GONE)
    assert len(list((Path(run.uri) / "exports").iterdir())) == 1


def test_a_record_of_an_export_names_no_folder_that_is_looked_into(store, run):
    record = {"run_id": run.run_id, "step": 5, "path": "/etc", "partial": "/etc/.one", "state": "written"}
    run.folder.write("exports/one.json", json.dumps({**record, "bytes": 7}).encode())
    run.folder.write("exports/two.json", json.dumps({**record, "step": "5", "path": ["/"]}).encode())
    assert [one["bytes"] for one in result(store, "exports", run_id=run.run_id)] == [7]


def test_an_export_that_fails_says_why_and_leaves_no_folder(store, run, tmp_path):
    damage(run, 5)
    result(store, "export", run_id=run.run_id, step=5, folder="model")
    [done] = wait_for(lambda: exports(store, run, "written", "failed"))
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


def test_when_a_checkpoint_was_saved_is_read_once_and_a_later_save_counts(run, store):
    first = {row["step"]: row["saved"] for row in result(store, "checkpoints", run_id=run.run_id)}
    assert first[5] < first[10]
    for name in run.folder.names("events"):  # what was read is not read again
        events = run.folder.read(f"events/{name}")
        run.folder.write(f"events/{name}", b"-" * (len(events) - 1) + b"\n")
    run.emit("rank0", "checkpoint_saved", step=5)
    later = {row["step"]: row["saved"] for row in result(store, "checkpoints", run_id=run.run_id)}
    assert later[10] == first[10]
    assert later[5] > first[10]
