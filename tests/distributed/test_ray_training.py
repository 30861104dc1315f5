"""Training on Ray's workers gives the numbers of training without Ray, also when a worker dies."""

import os
import signal
import time

import pytest

from raylm.api.launch import submit
from raylm.jobs.ray_jobs import job_logs, job_status, submit_entrypoint
from raylm.runs.read import curve
from raylm.runs.run import Run
from raylm.runs.segments import last_record
from tests.tiny import tiny_recipe, train_alone, train_together

pytestmark = pytest.mark.ray


def wait_until(run: Run, is_reached, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_reached(run):
        status = run.status()
        assert status.is_live or is_reached(run), f"{status.status}: {status.reason}"
        assert time.monotonic() < deadline, f"{run.run_id} is {status.status} at step {status.step}"
        time.sleep(0.05)


def last_step(run: Run) -> int:
    return (last_record(run.folder) or {"step": 0})["step"]


def has_ended(run: Run) -> bool:
    return not run.status().is_live


def test_a_plain_job_that_runs_raylm_train_gives_the_losses_of_no_worker_bit_for_bit(
    owned_cluster, storage, tmp_path
):
    """What `ray job submit -- raylm train RECIPE` does, on the cluster that the job belongs to."""
    sections = {"train": {"max_steps": 40}, "checkpoint": {"every_steps": 20}}
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(tiny_recipe(**sections, scaling={"num_workers": 1}).to_yaml())
    command = f"raylm train {recipe} --run-id plain --storage {storage}"
    assert submit_entrypoint(owned_cluster.cluster(), "plain", command, {})
    alone = train_alone(tiny_recipe(**sections), storage, "alone")
    deadline = time.monotonic() + 120
    while not (status := job_status("plain")).has_ended:
        assert time.monotonic() < deadline, status
        time.sleep(0.3)
    assert status.status == "SUCCEEDED", job_logs("plain")
    run = Run.open(storage, "plain")
    assert run.status().status == "finished"
    assert run.launches()[0]["how"] == "here"
    (connected,) = [event for event in run.events() if event["event"] == "connected"]
    assert connected["cpus"] == 4, "it joined the session's cluster of 4 CPUs, it started none of its own"
    assert curve(run, "train/loss") == curve(alone, "train/loss")
    assert curve(run, "eval/loss") == curve(alone, "eval/loss")


def test_a_killed_worker_is_replaced_and_the_curve_is_its_twin_s(owned_cluster, storage):
    """The twin trains without Ray, in two processes of torch's own."""
    recipe = tiny_recipe(train={"max_steps": 300}, checkpoint={"every_steps": 50}, scaling={"num_workers": 2})
    twin = train_together(recipe, storage, "twin", world_size=2)

    run = submit(recipe, run_id="killed", storage=storage)
    killed = []
    for attempt, step in ((1, 77), (2, 183)):
        wait_until(run, lambda run, step=step: last_step(run) >= step)
        started = [event for event in run.events() if event["event"] == "started"]
        assert started[-1]["attempt"] == attempt
        os.kill(started[-1]["pid"], signal.SIGKILL)
        killed.append(started[-1]["pid"])
    wait_until(run, has_ended)

    status = run.status()
    assert status.status == "finished", status.reason
    assert status.attempt == 3
    lost = [event["step"] for event in run.events() if event["event"] == "worker_lost"]
    assert len(lost) == 2
    assert len(set(killed)) == 2
    assert curve(run, "train/loss") == curve(twin, "train/loss")
