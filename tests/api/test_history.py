"""A curve as a screen asks for it: whole, then what was added; and kept only while its files are the same."""

import json
from pathlib import Path

import pytest

from raylm.api import curve_cache, history
from raylm.api.history import Histories
from raylm.api.store import Store
from raylm.config.errors import BadInput
from raylm.runs import MetricsWriter, Run, StepRecord, seal
from tests.asking import ask, result

LOSS = "train/loss"
KEYS = (LOSS, "train/learning_rate", "train/grad_norm", "throughput/tokens_per_second", "throughput/mfu")


@pytest.fixture
def run(storage: str) -> Run:
    return Run.create(storage, "20260101-000000-curve-0000", {"name": "curve"})


def write(run: Run, steps: range, attempt: int = 1, value: float | None = None) -> None:
    writer = MetricsWriter(run, attempt)
    for step in steps:
        loss = step / 7 if value is None else value
        metrics = dict.fromkeys(KEYS, 0.123456789) | {"memory/peak_bytes": 412e6, LOSS: loss}
        if step % 50 == 0:
            metrics["eval/loss"] = 2.0
        writer.append(StepRecord(step, attempt, step * 65_536, 1_700_000_000.123 + step / 3, metrics))
    writer.close()


def test_the_whole_comes_first_and_then_what_was_added(run):
    histories = Histories()
    write(run, range(1, 101))
    first = histories.answer(run)
    assert first["is_whole"]
    assert not first["is_behind"]
    assert [point[0] for point in first["points"][LOSS]] == list(range(1, 101))
    assert [point[0] for point in first["points"]["eval/loss"]] == [50, 100]
    nothing = histories.answer(run, first["cursor"])
    assert nothing["points"] == {}
    assert not nothing["is_whole"]

    write(run, range(101, 103))
    added = Histories().answer(run, first["cursor"])  # of another process
    assert [point[:1] + point[3:4] for point in added["points"][LOSS]] == [[101, 14.4286], [102, 14.5714]]
    assert histories.answer(run, None, ["eval/loss"])["points"].keys() == {"eval/loss"}


def test_an_evaluation_is_never_lost_and_the_newest_attempt_wins(run):
    write(run, range(1, 901), attempt=1, value=1.0)
    write(run, range(801, 1001), attempt=2, value=2.0)
    answer = Histories(points=100).answer(run)
    points = answer["points"][LOSS]
    assert len(points) <= 201
    assert {point[3] for point in points if point[0] <= 800} == {1.0}
    assert {point[3] for point in points if point[0] > 800} == {2.0}
    assert [point[0] for point in answer["points"]["eval/loss"]] == list(range(50, 1001, 50))


@pytest.mark.parametrize("length", [1000, 5000])
def test_an_update_is_small_and_as_large_for_a_long_run_as_for_a_short_one(run, length):
    write(run, range(1, length + 1))
    store = Store(run.storage)
    while (whole := result(store, "history", run_id=run.run_id))["is_behind"]:
        continue
    write(run, range(length + 1, length + 41))
    update = result(store, "history", run_id=run.run_id, cursor=whole["cursor"])
    assert not update["is_whole"]
    assert len(json.dumps(update)) < 2048


def test_a_restart_behind_the_cursor_brings_the_whole_again(run):
    write(run, range(1, 101))
    histories = Histories()
    first = histories.answer(run)
    write(run, range(61, 71), attempt=2, value=5.0)
    again = histories.answer(run, first["cursor"])
    assert again["is_whole"]
    assert [point[0] for point in again["points"][LOSS]] == list(range(1, 71))
    assert histories.answer(run, again["cursor"])["points"] == {}


def test_a_long_curve_is_told_as_far_as_it_was_read(run, monkeypatch):
    monkeypatch.setattr(history, "_PAGE", 1000)
    write(run, range(1, 2501))
    histories = Histories(budget_s=0)
    steps, is_behind = [], True
    while is_behind:
        answer = histories.answer(run)
        steps.append(answer["step"])
        is_behind = answer["is_behind"]
        assert (answer["cursor"] is None) == is_behind
    assert steps == [1000, 2000, 2500, 2500]


def test_a_restart_that_goes_far_back_is_read_through_however_slowly(run):
    write(run, range(1, 20_001))
    histories = Histories(budget_s=0)
    while histories.answer(run)["is_behind"]:
        pass
    write(run, range(1001, 1101), attempt=2, value=5.0)
    steps, is_behind = [], True
    while is_behind:
        answer = histories.answer(run)
        steps.append(answer["step"])
        is_behind = answer["is_behind"]
    assert steps[-1] == 1100


@pytest.fixture
def cached(run, monkeypatch) -> Run:
    """Return a run of 300 steps whose curve lies in the cache."""
    monkeypatch.setattr(curve_cache, "WORTH_ROWS", 100)
    write(run, range(1, 301), value=1.0)
    Histories().answer(run)
    assert curve_cache.load(run.uri) is not None
    return run


def test_what_was_read_is_not_read_again_by_another_process(cached, monkeypatch):
    write(cached, range(301, 311), value=1.0)
    offsets = []
    true_read = history.read
    monkeypatch.setattr(
        history, "read", lambda *args, **more: offsets.append(args[2]) or true_read(*args, **more)
    )
    answer = Histories().answer(cached)
    assert [point[0] for point in answer["points"][LOSS]] == list(range(1, 311))
    assert None not in offsets


def test_a_segment_that_was_replaced_is_read_anew(cached):
    name = "metrics-a1-00000.jsonl"
    text = cached.folder.read(name).replace(b'"train/loss":1.0', b'"train/loss":3.0')
    cached.folder.write(name, text)
    assert {point[3] for point in Histories().answer(cached)["points"][LOSS]} == {3.0}


def test_a_segment_that_was_cut_is_read_anew_also_from_memory(cached):
    histories = Histories()
    assert histories.answer(cached)["step"] == 300
    name = "metrics-a1-00000.jsonl"
    lines = cached.folder.read(name).splitlines(keepends=True)
    cached.folder.write(name, b"".join(lines[:200]))
    for one in (histories, Histories()):
        assert [point[0] for point in one.answer(cached)["points"][LOSS]] == list(range(1, 201))


def test_a_torn_tail_that_a_new_attempt_cuts_changes_nothing_before_it(cached):
    path = cached.folder.local_path("metrics-a1-00000.jsonl")
    with path.open("ab") as file:
        file.write(b'{"step": 301, "att')
    histories = Histories()
    assert histories.answer(cached)["step"] == 300
    seal(cached, 2)
    write(cached, range(251, 261), attempt=2, value=2.0)
    points = histories.answer(cached)["points"][LOSS]
    assert [point[0] for point in points] == list(range(1, 261))
    assert points == Histories().answer(cached)["points"][LOSS]


def test_a_cache_that_is_damaged_or_cannot_be_written_costs_only_time(cached):
    (file,) = (Path.home() / "cache" / "raylm" / "curves").glob("*.npz")
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(file.read_bytes()[:-500])
    assert Histories().answer(cached)["step"] == 300
    file.unlink(missing_ok=True)
    file.parent.rmdir()
    file.parent.write_text("no folder")
    assert Histories().answer(cached)["step"] == 300


def test_a_cursor_or_keys_that_are_none_are_refused(run):
    store = Store(run.storage)
    for args in ({"cursor": "x"}, {"cursor": 3}, {"keys": "train/loss"}, {"keys": [1]}):
        assert "error" in ask(store, "history", run_id=run.run_id, **args)
    with pytest.raises(BadInput):
        Histories().answer(run, "bm9uZQ==")
