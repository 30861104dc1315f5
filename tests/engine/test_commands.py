"""What a person asks of a running loop happens at one step, and happens again when the step is replayed."""

import pytest
import torch

from raylm.api.launch import claim, drive, resume
from raylm.engine.orders import OrderDesk
from raylm.engine.restore import restore
from raylm.runs import commands
from raylm.runs.read import curve
from raylm.runs.run import Run
from tests.tiny import tiny_recipe

PEAK, NEW_PEAK = 3e-3, 1e-3
RATE = "train/learning_rate"
FLAT = {"kind": "constant", "warmup_steps": 0}


class Killed(BaseException):
    """Ends a loop without any word to it."""


@pytest.fixture
def at_step(monkeypatch):
    """Return a function that lets something happen in the loop just before a step."""
    due = {}
    signals = OrderDesk.signals

    def signals_after_what_is_due(desk: OrderDesk, step: int) -> list[float]:
        for act in due.pop(step, []):
            act()
        desk._inbox.look()  # its thread looks every two seconds, which is a hundred steps here
        return signals(desk, step)

    monkeypatch.setattr(OrderDesk, "signals", signals_after_what_is_due)
    return lambda step, act: due.setdefault(step, []).append(act)


def start(storage: str, run_id: str, every_steps: int = 5, **sections):
    recipe = tiny_recipe(schedule=FLAT, checkpoint={"every_steps": every_steps}, **sections)
    return claim(recipe, run_id, storage, how="here")


def send_at(at_step, step: int, run: Run, name: str, **args) -> None:
    at_step(step, lambda: commands.send(run, name, **args))


def applied(run: Run) -> list[tuple[str, int]]:
    return [(e["command"], e["step"]) for e in run.events() if e["event"] == "command_applied"]


def test_a_checkpoint_is_saved_at_the_step_that_it_is_asked_for(storage, at_step):
    run, launch = start(storage, "saved", every_steps=1000)
    send_at(at_step, 7, run, "checkpoint")
    drive(run, launch)
    assert run.checkpoints.steps() == [7, 20]
    assert applied(run) == [("checkpoint", 7)]
    assert commands.pending(run) == []


def test_a_new_learning_rate_holds_from_the_step_that_it_is_applied_at(storage, at_step):
    run, launch = start(storage, "changed")
    send_at(at_step, 8, run, "set_learning_rate", value=NEW_PEAK)
    drive(run, launch)
    assert curve(run, RATE) == [(step, PEAK if step < 8 else NEW_PEAK) for step in range(1, 21)]
    assert applied(run) == [("set_learning_rate", 8)]


@pytest.mark.parametrize(("killed_at", "starts_from"), [(10, 5), (13, 10)])
def test_a_new_learning_rate_is_replayed_bit_for_bit_after_a_crash(storage, at_step, killed_at, starts_from):
    twin, launch = start(storage, "twin")
    send_at(at_step, 8, twin, "set_learning_rate", value=NEW_PEAK)
    drive(twin, launch)

    def kill() -> None:
        raise Killed

    run, launch = start(storage, "killed")
    send_at(at_step, 8, run, "set_learning_rate", value=NEW_PEAK)
    at_step(killed_at, kill)
    with pytest.raises(Killed):
        drive(run, launch)
    resume(run)
    assert [event["step"] for event in run.events() if event["event"] == "resumed"] == [starts_from]
    for key in (RATE, "train/loss", "eval/loss"):
        assert curve(run, key) == curve(twin, key)
    weights = restore(twin).model.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in restore(run).model.state_dict().items())


def test_a_stop_ends_with_a_checkpoint_and_the_rest_is_the_twins(storage, at_step):
    twin, launch = start(storage, "twin")
    drive(twin, launch)
    run, launch = start(storage, "stopped")
    send_at(at_step, 8, run, "stop")
    status = drive(run, launch)
    assert (status.status, status.step, status.reason) == ("stopped", 8, "stopped on request at step 8")
    assert run.checkpoints.steps()[-1] == 8
    assert len(curve(run, "train/loss")) == 8

    resume(run)
    assert (run.status().status, run.status().step) == ("finished", 20)
    assert curve(run, "train/loss") == curve(twin, "train/loss")


def test_a_stop_at_the_last_step_is_a_finish(storage, at_step):
    run, launch = start(storage, "both")
    send_at(at_step, 20, run, "stop")
    assert drive(run, launch).status == "finished"


def test_an_unknown_command_is_noted_and_changes_nothing(storage, at_step):
    run, launch = start(storage, "odd", train={"max_steps": 6})
    send_at(at_step, 3, run, "make_coffee", cups=2)
    assert drive(run, launch).status == "finished"
    assert commands.pending(run) == []


@pytest.mark.parametrize(
    "args", [{}, {"value": "fast"}, {"value": -1.0}, {"value": float("nan")}, {"value": None}]
)
def test_a_learning_rate_that_is_none_does_not_end_the_run(storage, at_step, args):
    run, launch = start(storage, "odd", train={"max_steps": 6})
    send_at(at_step, 3, run, "set_learning_rate", **args)
    assert drive(run, launch).status == "finished"
    assert {rate for _, rate in curve(run, RATE)} == {PEAK}


def test_a_stop_whose_checkpoint_was_never_saved_waits_for_the_next_attempt(storage, at_step, monkeypatch):
    run, launch = start(storage, "dies", every_steps=1000)
    send_at(at_step, 7, run, "stop")

    def die(*_args, **_kwargs):
        raise Killed

    monkeypatch.setattr("raylm.engine.checkpoint.save", die)
    with pytest.raises(Killed):
        drive(run, launch)
    assert run.checkpoints.steps() == []
    assert [command.name for command in commands.pending(run)] == ["stop"]
    assert applied(run) == []
