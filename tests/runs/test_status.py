import json
import time

from raylm.runs import Lease, MetricsWriter, Run, make_run_id
from raylm.runs.commands import Inbox, pending, send
from raylm.runs.status import START_LIMIT_S


def test_a_run_goes_from_pending_over_running_to_its_end(run):
    assert run.status().status == "pending"
    number = run.claim_launch("a: 1\n", how="job")
    assert run.status().status == "pending"
    assert run.status().submission_id == f"{run.run_id}-l1"
    lease = Lease.acquire(run, number)
    lease.update(step=3, max_steps=10)
    status = run.status()
    assert (status.status, status.step, status.max_steps, status.is_live) == ("running", 3, 10, True)
    assert status.submission_id == f"{run.run_id}-l1"
    lease.release("finished", "max_steps reached", step=10)
    status = run.status()
    assert (status.status, status.step, status.reason, status.is_live) == (
        "finished",
        10,
        "max_steps reached",
        False,
    )


def test_a_relaunched_run_is_pending_and_keeps_its_step(run):
    Lease.acquire(run, run.claim_launch("a: 1\n", how="here")).release("stopped", step=5)
    run.claim_launch("a: 1\n", how="job")
    assert (run.status().status, run.status().step, run.status().launch) == ("pending", 5, 2)


def test_a_stop_in_the_inbox_makes_it_stopping(run):
    lease = Lease.acquire(run, run.claim_launch("a: 1\n", how="here"))
    send(run, "stop")
    assert run.status().status == "stopping"
    inbox = Inbox(run)
    inbox.record(pending(run)[0], 4)
    inbox.close()
    assert run.status().status == "stopping", "applied, and not ended yet"
    assert not pending(run)
    lease.release("stopped")
    assert run.status().status == "stopped"
    Lease.acquire(run, run.claim_launch("a: 1\n", how="here"))
    assert run.status().status == "running", "a stop holds for its launch only"


def test_a_stop_reaches_a_run_that_is_still_queued(run):
    run.claim_launch("a: 1\n", how="job")
    send(run, "stop")
    assert run.status().status == "stopping"


def launched_long_ago(run, how):
    run.claim_launch("a: 1\n", how=how)
    launch = run.launches()[0] | {"when": time.time() - START_LIMIT_S - 1}
    run.folder.write("launches/1.json", json.dumps(launch).encode())


def test_a_process_that_never_started_is_lost_but_a_queued_job_is_not(storage):
    for how, expected in (("process", "lost"), ("job", "pending")):
        run = Run.create(storage, make_run_id(how), {})
        launched_long_ago(run, how)
        assert run.status().status == expected


def test_a_stop_of_what_never_started_is_obeyed_and_the_run_can_be_resumed(storage):
    for how, expected in (("process", "stopped"), ("job", "stopping")):
        run = Run.create(storage, make_run_id(how), {})
        launched_long_ago(run, how)
        send(run, "stop")
        assert run.status().status == expected
    run = Run.create(storage, make_run_id("resumed"), {})
    launched_long_ago(run, "process")
    send(run, "stop")
    assert run.claim_launch("a: 1\n", how="process") == 2
    assert run.status().status == "pending"


def test_the_step_of_a_live_run_is_that_of_its_newest_record(run, record):
    lease = Lease.acquire(run, run.claim_launch("a: 1\n", how="here"))
    writer = MetricsWriter(run, lease.start_attempt())
    for step in range(1, 6):
        writer.append(record(step))
    writer.close()
    assert run.status().step == 5
    lease.start_attempt()
    lease.update(step=2)
    assert run.status().step == 2  # the newer attempt restarted further back
    lease.release("stopped")


def test_damaged_files_give_a_status_not_an_error(run):
    run.folder.write("status.json", b'{"status": ')
    assert run.status().status == "pending"
    run.folder.write("run.json", b"\xff\xfe")
    status = Run.open(run.storage, run.run_id).status()
    assert status.status == "lost"
    assert "run.json" in status.reason
