import time

import pytest

from raylm.config.errors import BadInput
from raylm.runs import Run, StepRecord, read
from raylm.trackers import Tracker, open_all
from raylm.trackers.jsonl import Jsonl
from raylm.trackers.tensorboard import TensorBoard


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "runs", "tracked", {})


def records(steps, attempt=1):
    return [StepRecord(step, attempt, step * 10, time.time(), {"train/loss": 1 / step}) for step in steps]


def track(handle, steps, attempt=1):
    for record in records(steps, attempt):
        handle.log(record)
    handle.close()


@pytest.mark.parametrize("kind", sorted(Tracker.kinds))
def test_every_kind_opens_takes_records_and_closes(kind, run, tmp_path):
    tracker = Tracker.model_validate({"kind": kind, "path": str(tmp_path / "out")})
    track(tracker.open(run, 1), range(1, 4))
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", sorted(Tracker.kinds))
def test_every_kind_needs_no_field(kind, run):
    track(Tracker.model_validate({"kind": kind}).open(run, 1), range(1, 4))


def test_the_run_has_its_metrics_whatever_the_trackers(run):
    for trackers in ([], [Jsonl()]):
        for handle in open_all(run, len(trackers) + 1, trackers):
            track(handle, range(1, 4), len(trackers) + 1)
    assert [(one["attempt"], one["step"]) for one in read(run, "metrics")[0]] == [
        (attempt, step) for attempt in (1, 2) for step in (1, 2, 3)
    ]


def test_jsonl_copies_each_record(run, tmp_path):
    track(Jsonl(path=str(tmp_path / "copy.jsonl")).open(run, 1), range(1, 4))
    assert len((tmp_path / "copy.jsonl").read_text().splitlines()) == 3


def test_tensorboard_shows_one_curve_after_a_restart(run):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    track(TensorBoard().open(run, 1), range(1, 11))
    time.sleep(1.1)  # the name of an event file holds the second
    track(TensorBoard().open(run, 2), range(6, 9), 2)
    folder = run.folder.local_path("tensorboard")
    shown = event_accumulator.EventAccumulator(str(folder)).Reload()
    assert [one.step for one in shown.Scalars("train/loss")] == list(range(1, 9))


def test_tensorboard_needs_a_local_folder():
    run = Run.create("memory://tracked", "remote", {})
    with pytest.raises(BadInput, match="set path"):
        TensorBoard().open(run, 1)


def test_a_missing_package_is_said_with_its_mend(run, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(BadInput, match=r"pip install 'raylm\[tensorboard\]'"):
        TensorBoard().open(run, 1)


def test_a_path_that_cannot_be_written_is_bad_input(run, tmp_path):
    (tmp_path / "file").touch()
    for tracker in (Jsonl(path=str(tmp_path / "file" / "x")), TensorBoard(path=str(tmp_path / "file" / "x"))):
        with pytest.raises(BadInput, match=r"trackers\.path"):
            tracker.open(run, 1)
