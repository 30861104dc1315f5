import json
import subprocess
import sys
import time

import pytest

from raylm.config.errors import BadInput
from raylm.runs import Fenced, Lease, Run, lease, status

HOLDER = """
import sys
from raylm.runs import Lease, Run
run = Run.from_uri(sys.argv[1])
lease = Lease.acquire(run)
lease.update(step=7)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def launched(run):
    run.claim_launch("a: 1\n", how="here")
    return run


def edit_status(run, **changes):
    values = json.loads(run.folder.read("status.json"))
    owner = values["owner"] | changes.pop("owner", {})
    run.folder.write("status.json", json.dumps(values | changes | {"owner": owner}).encode())


def test_a_second_owner_is_refused_and_told_who_holds_it(launched):
    held = Lease.acquire(launched)
    with pytest.raises(BadInput) as error:
        Lease.acquire(launched)
    owner = launched.status().owner
    assert owner["host"] in str(error.value)
    assert f"pid {owner['pid']}" in str(error.value)
    held.release("stopped")
    Lease.acquire(launched).release("stopped")


def test_a_killed_owner_on_this_host_is_replaced_at_once(tmp_path):
    run = Run.create(tmp_path / "runs", "killed", {})
    run.claim_launch("a: 1\n", how="process")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, run.uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(BadInput, match=f"pid {holder.pid}"):
        Lease.acquire(run)
    holder.kill()
    holder.wait()
    assert run.status().status == "lost"
    assert run.status().step == 7
    begun = time.monotonic()
    Lease.acquire(run).release("stopped")
    assert time.monotonic() - begun < 1
    holder.stdin.close()
    holder.stdout.close()


def test_a_pid_used_again_by_another_process_is_not_the_owner(launched):
    held = Lease.acquire(launched)
    edit_status(launched, owner={"process_started": "1"})
    assert launched.status().status == "lost"
    Lease.acquire(launched).release("stopped")
    with pytest.raises(Fenced):
        held.update(step=1)
    held.release("failed")
    assert launched.status().status == "stopped"


def test_a_silent_owner_elsewhere_is_replaced_after_its_time_to_live(launched, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.05)
    held = Lease.acquire(launched)
    held._is_over.set()  # it lives on, without a heartbeat
    edit_status(launched, owner={"host": "elsewhere"}, heartbeat=time.time() - status.TIME_TO_LIVE_S - 1)
    assert launched.status().status == "lost"
    taken = Lease.acquire(launched)
    assert taken.number == held.number + 1
    taken.release("stopped")


def test_an_owner_elsewhere_that_still_beats_is_kept_whatever_its_clock_says(launched, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.2)
    held = Lease.acquire(launched)
    held._values["owner"] = held._values["owner"] | {"host": "elsewhere"}
    real = lease.time.time
    monkeypatch.setattr(lease.time, "time", lambda: real() - 3600)  # its clock is an hour behind
    held.update()
    monkeypatch.setattr(status.time, "time", real)
    beats = iter(range(1000))
    monkeypatch.setattr(lease.time, "time", lambda: real() - 3600 + next(beats))
    with pytest.raises(BadInput, match="elsewhere"):
        Lease.acquire(launched)
    monkeypatch.setattr(lease.time, "time", real)
    held.release("stopped")


def test_the_former_owner_is_fenced_off(launched):
    former = Lease.acquire(launched)
    edit_status(launched, owner={"pid": 2**22 + 1})  # as if this process were another one, now dead
    current = Lease.acquire(launched)
    with pytest.raises(Fenced):
        former.update("running", step=1)
    assert not former.is_held
    former.release("finished")
    assert launched.status().status == "running"
    assert current.is_held
    current.release("finished")


def test_the_heartbeat_writes_what_was_noted(launched, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.05)
    held = Lease.acquire(launched)
    first = launched.status().heartbeat
    held.note(step=42)
    end = time.monotonic() + 5
    while launched.status().step != 42 and time.monotonic() < end:
        time.sleep(0.02)
    assert launched.status().step == 42
    assert launched.status().heartbeat > first
    held.release("finished", "done", step=43)
    assert launched.status().step == 43
    assert launched.status().reason == "done"


def test_a_deleted_run_is_not_written_again(launched):
    held = Lease.acquire(launched)
    launched.folder.remove_tree()
    with pytest.raises(Fenced):
        held.update(step=1)
    held.release("failed")
    assert not launched.folder.exists("status.json")


def test_each_start_of_the_workers_gets_a_higher_attempt(launched, record):
    from raylm.runs import MetricsWriter

    held = Lease.acquire(launched)
    assert held.start_attempt() == 1
    writer = MetricsWriter(launched, 1)
    writer.append(record(1))
    writer.close()
    assert held.start_attempt() == 2
    held.release("stopped")
    assert Lease.acquire(launched).start_attempt() == 3
