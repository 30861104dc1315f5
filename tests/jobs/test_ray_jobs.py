import shlex
import sys

import pytest

from raylm.config.errors import BadInput
from raylm.jobs.clusters import Cluster
from raylm.jobs.http import HttpError
from raylm.jobs.ray_jobs import drive_command, job_status, submission_id, submit, submit_entrypoint
from raylm.jobs.versions import check_versions
from raylm.runs.run import Run

NOT_READY = "No available agent to submit job, please try again later."
EXISTS = "RuntimeError: Request failed with status code 400: Job with submission_id a already exists."


def answers(dashboard, *replies):
    left = list(replies)
    dashboard.answer = lambda _: left.pop(0)
    return Cluster("", dashboard.address)


def test_an_agent_that_is_not_ready_is_waited_for_in_one_line(dashboard):
    cluster = answers(dashboard, (500, NOT_READY), (500, NOT_READY), (200, "{}"))
    lines = []
    assert submit_entrypoint(cluster, "a", "true", {"X": "1"}, lines.append)
    assert lines == [f"waiting for the job agent of {cluster.address}"]
    assert [request.path for request in dashboard.requests] == ["/api/jobs/"] * 3
    expected = {"entrypoint": "true", "submission_id": "a", "runtime_env": {"env_vars": {"X": "1"}}}
    assert dashboard.requests[-1].body == expected


def test_an_agent_that_never_comes_ends_the_wait(dashboard, monkeypatch):
    monkeypatch.setattr("raylm.jobs.ray_jobs.AGENT_SECONDS", 0.3)
    dashboard.answer = lambda _: (500, NOT_READY)
    with pytest.raises(HttpError, match="No available agent"):
        submit_entrypoint(Cluster("", dashboard.address), "a", "true", {})
    assert len(dashboard.requests) > 1


def test_an_id_that_is_known_starts_nothing_and_is_no_error(dashboard):
    assert not submit_entrypoint(answers(dashboard, (500, EXISTS)), "a", "true", {})


def test_another_error_is_not_tried_again(dashboard):
    with pytest.raises(HttpError, match="runtime_env"):
        submit_entrypoint(answers(dashboard, (500, "ValueError: bad runtime_env")), "a", "true", {})
    assert len(dashboard.requests) == 1


def test_another_ray_is_refused_before_anything_is_submitted(dashboard, storage):
    dashboard.answer = lambda _: (200, '{"ray_version": "1.13.0"}')
    run = Run.create(storage, "first")
    with pytest.raises(BadInput, match=r"runs Ray 1\.13\.0, here is .* install ray==1\.13\.0"):
        submit(run, 1, dashboard.address)
    assert [request.path for request in dashboard.requests] == ["/api/version"]


def test_a_patch_release_of_the_same_ray_is_accepted(dashboard):
    from importlib.metadata import version

    theirs = ".".join([*version("ray").split(".")[:2], "99"])
    dashboard.answer = lambda _: (200, f'{{"ray_version": "{theirs}"}}')
    assert check_versions(Cluster("", dashboard.address)) == theirs


def test_a_submit_carries_the_storage_and_time_to_save(dashboard, storage):
    from importlib.metadata import version

    dashboard.answer = lambda _: (200, f'{{"ray_version": "{version("ray")}"}}')
    run = Run.create(storage, "first")
    assert submit(run, 2, dashboard.address) == "first-l2"
    body = dashboard.requests[-1].body
    assert body["submission_id"] == "first-l2"
    assert body["entrypoint"] == f"python -m raylm drive {run.uri} 2"
    environment = body["runtime_env"]["env_vars"]
    assert environment == {"RAYLM_STORAGE": run.storage, "RAY_JOB_STOP_WAIT_TIME_S": "30"}


def test_no_part_of_a_uri_reaches_the_shell():
    uri = "/runs/a; touch pwned $(id) 'x'"
    command = drive_command(Cluster("lab", "https://ray.example.org"), uri, 1)
    assert shlex.split(command) == ["python", "-m", "raylm", "drive", uri, "1"]


def test_the_owned_cluster_runs_this_interpreter():
    command = drive_command(Cluster("owned", "http://127.0.0.1:8265"), "/runs/a", 1)
    assert shlex.split(command)[0] == sys.executable


def test_a_job_nobody_knows_has_no_status(dashboard):
    answers(dashboard, (404, "Job ../x does not exist"))
    assert job_status("../x", dashboard.address) is None
    assert dashboard.requests[0].path == "/api/jobs/..%2Fx"


def test_a_launch_has_one_submission_id():
    assert submission_id("20260101-first-ab12", 3) == "20260101-first-ab12-l3"
