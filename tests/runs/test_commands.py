import threading
import time

import pytest

from raylm.config.errors import BadInput
from raylm.runs import Lease, commands
from raylm.runs.commands import Inbox, applied, pending, send


def test_commands_reach_the_loop_in_order_and_once(run):
    inbox = Inbox(run, every_seconds=60)
    send(run, "set_learning_rate", value=1e-4)
    send(run, "checkpoint")
    inbox.look()
    taken = inbox.take()
    assert [(one.name, one.args) for one in taken] == [
        ("set_learning_rate", {"value": 1e-4}),
        ("checkpoint", {}),
    ]
    inbox.look()
    assert inbox.take() == []
    for command in taken:
        inbox.record(command, 12)
    inbox.close()
    assert pending(run) == []
    assert [one.name for one in applied(run)[12]] == ["set_learning_rate", "checkpoint"]


def test_a_replay_applies_the_rate_again_but_never_the_stop(run):
    inbox = Inbox(run, every_seconds=60)
    send(run, "set_learning_rate", value=1e-4)
    send(run, "stop")
    inbox.look()
    for command in inbox.take():
        inbox.record(command, 9)
    inbox.close()
    again = Inbox(run, every_seconds=60)
    assert [one.name for one in again.applied_at(9)] == ["set_learning_rate"]
    assert again.applied_at(8) == []
    again.close()


def test_a_stop_meant_for_an_earlier_launch_does_not_stop_the_next(run):
    lease = Lease.acquire(run, run.claim_launch("a: 1\n", how="here"))
    send(run, "stop")
    lease.release("failed")
    run.claim_launch("a: 1\n", how="here")
    assert pending(run) == []


def test_a_command_applied_before_a_crash_could_clear_the_inbox_is_not_pending(run):
    send(run, "checkpoint")
    [command] = pending(run)
    run.emit("rank0", "command_applied", command=command.name, command_id=command.id, args={}, step=3)
    assert pending(run) == []


@pytest.mark.parametrize("name", ["", "Stop", "a b", "../x", "a.b"])
def test_a_command_name_that_is_none_is_refused(run, name):
    with pytest.raises(BadInput):
        send(run, name)


def test_the_loop_never_waits_for_a_slow_storage(run, monkeypatch):
    looking = threading.Event()

    def slow(_run):
        looking.set()
        time.sleep(0.5)
        return []

    monkeypatch.setattr(commands, "pending", slow)
    inbox = Inbox(run)
    assert looking.wait(5)
    begun = time.perf_counter()
    assert inbox.take() == []
    assert time.perf_counter() - begun < 0.2
    inbox.close()
