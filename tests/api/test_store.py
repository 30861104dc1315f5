import json
import math
import time
from pathlib import Path

import pytest
import yaml

from raylm.api.store import Store
from raylm.api.wire import encode
from raylm.runs import Lease, Run
from raylm.runs.catalogue import list_runs
from tests.asking import ask, result
from tests.hostile import TEXTS, TOGETHER
from tests.tiny import smallest_values


@pytest.fixture
def values(tmp_path: Path) -> dict:
    return smallest_values(tmp_path)


@pytest.fixture
def store(storage: str, tmp_path: Path) -> Store:
    return Store(storage, folder=tmp_path)


def test_the_schema_offers_every_section(store):
    names = [section["name"] for section in result(store, "schema")["sections"]]
    assert {"model", "data", "train", "scaling"} <= set(names)


def test_a_right_recipe_gets_a_plan_and_the_line_that_launches_it(store, values):
    check = result(store, "check", values=values)
    assert check["problems"] == []
    assert {"Parameters", "Steps"} <= {item["label"] for item in check["plan"]}
    assert "max_steps: 5" in check["yaml"]
    assert check["command"] == "raylm train tiny.yaml"
    on_ray = {**values, "scaling": {"num_workers": 2}}
    assert result(store, "preview", values=on_ray)["command"].startswith("ray job submit")


def test_a_wrong_recipe_gets_each_problem_at_its_field(store, values):
    values["train"] = {"max_steps": 0}
    values["model"] = {**values["model"], "num_heads": 3}
    problems = result(store, "check", values=values)["problems"]
    assert {problem["field"] for problem in problems} >= {"train.max_steps"}
    assert all(problem["message"] for problem in problems)


def test_recipe_files_are_starters_and_earlier_runs_are_origins(store, values, tmp_path, storage):
    (tmp_path / "mine.yaml").write_text(json.dumps(values))
    (tmp_path / "other.yaml").write_text("a: 1\n")
    run = Run.create(storage, "20260101-000000-tiny-0000", {"name": "tiny"})
    run.claim_launch(result(store, "check", values=values)["yaml"], how="here")
    assert [one["title"] for one in result(store, "starters")] == ["tiny (mine.yaml)"]
    assert result(store, "origins") == [{"run_id": run.run_id, "name": "tiny", "steps": []}]
    assert result(store, "start_from", run_id=run.run_id)["train"]["max_steps"] == 5


def test_two_launches_with_one_run_id_start_one_run(store, values, storage):
    run_id = result(store, "run_id", name="tiny")
    assert result(store, "launch", values=values, run_id=run_id) == {"run_id": run_id, "is_new": True}
    assert result(store, "launch", values=values, run_id=run_id) == {"run_id": run_id, "is_new": False}
    assert len(list_runs([storage])) == 1
    deadline = time.monotonic() + 120
    while result(store, "run", run_id=run_id)["status"] in ("pending", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    shown = Store(storage)  # another process, another day
    assert result(shown, "runs")[0]["status"] == "finished"
    points = result(shown, "history", run_id=run_id)["points"]["train/loss"]
    assert [point[0] for point in points] == [1, 2, 3, 4, 5]


def test_a_long_run_is_among_the_live_ones_however_many_have_ended_since(store, storage):
    runs = [Run.create(storage, f"2026010{day}-000000-tiny-0000", {"name": "tiny"}) for day in range(1, 6)]
    long, *others = [Lease.acquire(run, run.claim_launch("a: 1\n", how="process")) for run in runs]
    for lease in others:
        lease.release("finished")
    newest = [row["run_id"] for row in result(store, "runs", limit=2)]
    assert newest == [runs[4].run_id, runs[3].run_id]
    assert [row["run_id"] for row in result(store, "runs", limit=2, is_live=True)] == [runs[0].run_id]
    assert result(store, "runs", is_live=True, search="other") == []
    assert result(store, "runs", is_live=True, offset=1) == []
    long.release("stopped")
    assert result(store, "runs", is_live=True) == []
    assert ask(store, "runs", is_live="yes")["error"]["field"] == "is_live"


def test_a_launch_that_cannot_be_is_refused_with_its_field(store, values):
    error = ask(store, "launch", values={**values, "name": "../x"}, run_id="x")["error"]
    assert error["problems"][0]["field"] == "name"


def test_a_question_that_is_none_is_refused(store):
    for method, args in (
        ("_find", {"run_id": "x"}),
        ("answer", {}),
        ("run", {}),
        ("run", {"run_id": 1, "x": 2}),
    ):
        assert "error" in ask(store, method, **args)


def test_a_stop_answers_at_once(store, storage):
    run = Run.create(storage, "20260101-000000-slow-0000", {"name": "slow"})
    lease = Lease.acquire(run, run.claim_launch("a: 1\n", how="process"))
    started = time.monotonic()
    assert result(store, "stop", run_id=run.run_id)["status"] == "stopping"
    assert time.monotonic() - started < 2
    lease.release("stopped")


def test_a_log_begins_with_its_last_lines_and_goes_on(store, storage):
    run = Run.create(storage, "20260101-000000-log-0000", {"name": "log"})
    for num_lines in (600, 200_000):  # the second has 2 MB, of which the last one is read
        text = "".join(f"line {number}\n" for number in range(num_lines))
        run.folder.write("logs/driver.log", text.encode())
        first = result(store, "read", run_id=run.run_id, stream="logs/driver.log")
        lines = [f"line {number}" for number in range(num_lines - 500, num_lines)]
        assert [record["line"] for record in first["records"]] == lines
        run.folder.write("logs/driver.log", f"{text}one more\n".encode())
        again = result(store, "read", run_id=run.run_id, stream="logs/driver.log", cursor=first["cursor"])
        assert again["records"] == [{"line": "one more"}]


def test_a_hostile_recipe_is_a_starter_whose_problems_are_told_at_its_fields(store, values, tmp_path):
    values["data"] = {"sources": [{"kind": "text", "path": text, "licence": text} for text in TEXTS]}
    values["name"] = TOGETHER
    (tmp_path / "hostile.yaml").write_text(json.dumps(values))
    (tmp_path / "plugin.yaml").write_text(json.dumps({**values, "plugins": list(TEXTS)}))
    starters = result(store, "starters")
    assert [one["values"]["name"] for one in starters] == [TOGETHER, TOGETHER]
    for starter in starters:
        answer = result(store, "check", values=starter["values"])
        assert {problem["field"] for problem in answer["problems"]} & {"name", "plugins"}


def test_a_number_that_is_none_in_one_recipe_hides_no_other(store, values, tmp_path):
    odd = {**values, "name": "odd", "train": {**values["train"], "target_loss": math.inf}}
    (tmp_path / "odd.yaml").write_text(yaml.safe_dump(odd))
    (tmp_path / "right.yaml").write_text(yaml.safe_dump({**values, "name": "right"}))
    starters = json.loads(encode(store.answer("starters", {})))["result"]
    (given,) = [one["values"] for one in starters if one["title"].startswith("odd")]
    assert any(one["title"].startswith("right") for one in starters)
    problems = store.answer("check", {"values": given})["result"]["problems"]
    assert [one["field"] for one in problems] == ["train.target_loss"]


def test_listing_recipes_runs_none_of_their_plug_ins(store, values, tmp_path):
    (tmp_path / "plugin.py").write_text(f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()")
    (tmp_path / "own.yaml").write_text(json.dumps({**values, "plugins": ["plugin.py"]}))
    starter = next(one for one in result(store, "starters") if one["name"].endswith("own.yaml"))
    assert starter["values"]["plugins"] == [str(tmp_path / "plugin.py")]
    assert not (tmp_path / "ran").exists()
    assert result(store, "check", values=starter["values"])["problems"] == []
    assert (tmp_path / "ran").exists()
