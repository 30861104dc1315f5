"""What the Cluster screen asks: of a real Ray cluster, and of servers that answer as they should not."""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from raylm.api.incidents import Incidents
from raylm.api.store import Store
from raylm.jobs.clusters import Cluster, add_cluster, list_clusters
from raylm.jobs.detached import is_alive
from raylm.jobs.ray_head import HeadOptions
from raylm.jobs.ray_jobs import stop_job, submit_entrypoint
from raylm.jobs.starting import begin_start, find_start
from raylm.runs import Run
from tests.asking import ask, result
from tests.dashboards import FakeDashboard, as_ray, job, node

RUN_ID = "20990101-000000-here-0000"


@pytest.fixture
def store(storage: str) -> Store:
    return Store(storage)


@pytest.fixture
def dashboard() -> Iterator[FakeDashboard]:
    made = FakeDashboard()
    yield made
    made.close()


@pytest.fixture
def listed(dashboard: FakeDashboard, tmp_path: Path) -> FakeDashboard:
    """Return a dashboard that is on the person's list as `lab`, with a token."""
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("secret")
    add_cluster(Cluster("lab", dashboard.address, str(token)))
    return dashboard


def rows(store: Store) -> dict[str, dict]:
    return {row["name"]: row for row in result(store, "clusters")}


def problem(store: Store, method: str, **args) -> str:
    error = ask(store, method, **args)["error"]
    return f"{error['message']}; {error['mend']}"


def test_with_no_cluster_the_local_one_can_be_started(store):
    (row,) = result(store, "clusters")
    assert (row["name"], row["state"], row["is_owned"], row["is_default"]) == ("owned", "none", True, True)
    detail = result(store, "cluster")
    assert (detail["state"], detail["nodes"], detail["jobs"], detail["events"]) == ("none", [], [], [])
    assert result(store, "cluster", name="owned") == detail
    assert result(store, "stop_cluster")["state"] == "none"


def test_a_cluster_is_shown_with_its_nodes_the_lost_ones_last(store, listed):
    went = time.time() - 14
    nodes = [
        node("worker-2", ended=went, why="Unexpected termination: health check failed"),
        node("idle", ended=went, why="Terminated due to idle (no Ray activity)"),
        node("worker-1", gpus=2),
        node("head"),
    ]
    listed.answer = as_ray(nodes, [job(f"{RUN_ID}-l3"), job("mine"), job("old-l1", "SUCCEEDED")])
    detail = result(store, "cluster", name="lab")
    assert [(each["name"], each["state"]) for each in detail["nodes"]] == [
        ("head", "alive"), ("worker-1", "alive"), ("worker-2", "lost"),
    ]  # fmt: skip
    head, worker, lost = detail["nodes"]
    assert (head["cpus_used"], head["cpus"], head["load_percent"], head["is_head"]) == (1, 4, 37.5, True)
    assert (head["memory_used_bytes"], head["memory_bytes"], head["gpu_memory_bytes"]) == (4e9, 16e9, None)
    assert (worker["gpus_used"], worker["gpus"]) == (0.5, 2)
    assert (worker["gpu_memory_used_bytes"], worker["gpu_memory_bytes"]) == (60_000 * 2**20, 160_000 * 2**20)
    assert lost["ended"] == pytest.approx(went, abs=0.01)
    assert [(each["job_id"], each["run_id"]) for each in detail["jobs"]] == [
        (f"{RUN_ID}-l3", RUN_ID), ("mine", None),
    ]  # fmt: skip
    assert rows(store)["lab"]["state"] == "alive"
    assert {request.authorization for request in listed.requests} == {"Bearer secret"}


def test_what_happened_to_the_runs_of_its_jobs_is_told_newest_first(store, listed, storage):
    run = Run.create(storage, RUN_ID, {"name": "here"})
    listed.answer = as_ray([node("head")], [job(f"{RUN_ID}-l1"), job("somebody-elses-l1")])
    run.emit("driver", "worker_lost", step=412, reason="node died")
    run.emit("rank0", "checkpoint_saved", step=400)
    assert [each["event"] for each in result(store, "cluster", name="lab")["events"]] == ["worker_lost"]
    run.emit("rank0", "resumed", step=400)
    events = result(store, "cluster", name="lab")["events"]
    assert [(each["event"], each["step"], each["run_id"]) for each in events] == [
        ("resumed", 400, RUN_ID), ("worker_lost", 412, RUN_ID),
    ]  # fmt: skip


def test_incidents_that_were_read_are_not_read_again(storage):
    run = Run.create(storage, RUN_ID, {"name": "here"})
    run.emit("driver", "worker_lost", step=1)
    incidents = Incidents()
    first = incidents.of([run])
    for path in Path(storage, RUN_ID, "events").iterdir():
        path.write_bytes(b"#" * path.stat().st_size)
    assert incidents.of([run]) == first != []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, "no"), "wants a token"),
        ((403, "no"), "refuses the token"),
        ((500, "Traceback\nOSError: full"), "answered 500: OSError: full"),
        ((200, "<html>"), "is not a Ray dashboard"),
        ((200, "[]"), "is not a Ray dashboard"),
        ((200, '{"data": 3, "ray_version": "2"}'), "is not a Ray dashboard"),
        ((200, "[" * 100_000), "is not a Ray dashboard"),
    ],
)
def test_an_answer_that_is_none_is_a_cause_and_a_mend(store, listed, answer, words):
    listed.answer = lambda _: answer
    said = problem(store, "cluster", name="lab")
    assert words in said
    assert said.split("; ")[1]


def test_a_cluster_out_of_reach_hides_no_other_and_costs_seconds(store, listed, free_port):
    add_cluster(Cluster("gone", f"http://127.0.0.1:{free_port}"))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        add_cluster(Cluster("deaf", f"http://127.0.0.1:{deaf.getsockname()[1]}"))
        listed.answer = as_ray([node("head")])
        started = time.monotonic()
        found = rows(store)
        assert "timed out" in problem(store, "cluster", name="deaf")
        assert time.monotonic() - started < 8
    assert {name: row["state"] for name, row in found.items()} == {
        "owned": "none", "lab": "alive", "gone": "unreachable", "deaf": "unreachable",
    }  # fmt: skip
    assert "cannot reach" in found["gone"]["message"]
    assert "is the cluster up?" in found["gone"]["mend"]


def test_no_page_can_have_another_address_asked_not_even_of_this_machine(store, dashboard):
    for name in (dashboard.address, "http://169.254.169.254", "file:///etc/passwd", "lab"):
        assert "is not in your cluster list" in problem(store, "cluster", name=name)
    assert "is not a text" in problem(store, "cluster", name=[dashboard.address])
    assert dashboard.requests == []


def test_the_cluster_of_the_environment_is_the_default(store, listed, monkeypatch):
    listed.answer = as_ray([node("head")])
    monkeypatch.setenv("RAY_ADDRESS", listed.address)
    assert [name for name, row in rows(store).items() if row["is_default"]] == ["lab"]
    assert result(store, "cluster")["name"] == "lab"


def test_the_list_is_edited_as_by_the_command_line(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("token").touch(mode=0o600)
    Path("token").write_text("secret")
    asked = {"name": "lab", "address": "http://127.0.0.1:8265/", "token_path": "token"}
    assert result(store, "add_cluster", **asked)["is_listed"]
    assert list_clusters() == [Cluster("lab", "http://127.0.0.1:8265", str(tmp_path / "token"))]
    Path("token").chmod(0o644)
    assert "others can read" in problem(store, "add_cluster", **asked)
    assert "is not a text" in problem(store, "add_cluster", name=5, address="http://127.0.0.1")
    assert "not the URL of a Ray dashboard" in problem(store, "add_cluster", name="x", address="ray://h:1")
    result(store, "remove_cluster", name="lab")
    assert list_clusters() == []
    assert "no cluster named 'lab'" in problem(store, "remove_cluster", name="lab")


@pytest.mark.parametrize(
    ("field", "value"), [("num_cpus", 0), ("num_cpus", "two"), ("num_gpus", -1), ("num_cpus", True)]
)
def test_a_number_that_cannot_be_starts_nothing(store, field, value):
    error = ask(store, "start_cluster", **{field: value})["error"]
    assert error["problems"][0]["field"] == field
    assert find_start() is None


@pytest.mark.ray
def test_a_start_that_fails_says_why_and_can_be_asked_again(store):
    begin_start(HeadOptions(num_cpus=-1))
    first = find_start()
    begin_start(HeadOptions(num_cpus=-1))  # while the first is on its way: no second one
    assert find_start().since == first.since
    assert result(store, "cluster")["state"] == "starting"
    assert "it is being started" in problem(store, "stop_cluster")
    deadline = time.monotonic() + 60
    while result(store, "cluster")["state"] == "starting":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (row,) = result(store, "clusters")
    assert row["state"] == "failed"
    assert row["message"].startswith("Ray did not start: ")


@pytest.mark.ray
def test_the_owned_cluster_tells_what_is_in_use_and_is_not_stopped_while_it_is(store, owned_cluster):
    job_id = f"{RUN_ID}-l1"
    code = "import ray, time; ray.init(); ray.get(ray.remote(num_cpus=2)(lambda: time.sleep(60)).remote())"
    submit_entrypoint(owned_cluster.cluster(), job_id, f'{sys.executable} -c "{code}"', {})
    deadline = time.monotonic() + 60
    while (detail := result(store, "cluster"))["nodes"][0]["cpus_used"] != 2:
        assert time.monotonic() < deadline, detail
        time.sleep(0.2)
    (machine,) = detail["nodes"]
    assert (machine["state"], machine["cpus"], machine["gpus"], machine["is_head"]) == ("alive", 4, 0, True)
    assert 0 < machine["memory_used_bytes"] < machine["memory_bytes"]
    assert [(each["run_id"], each["status"]) for each in detail["jobs"]] == [(RUN_ID, "RUNNING")]
    assert result(store, "start_cluster")["state"] == "alive"
    assert f"jobs run on it: {job_id}; stop those runs first" in problem(store, "stop_cluster")
    assert is_alive(owned_cluster.process())
    stop_job(job_id)
