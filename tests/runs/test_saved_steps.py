"""The steps of many runs are asked for often: right each time, listed only where that can have changed."""

import os
import time

import pytest

from raylm.runs.checkpoints import Checkpoints
from raylm.runs.listing import Listing
from raylm.runs.saved_steps import SavedSteps


@pytest.fixture
def listed(monkeypatch) -> list[str]:
    """Return the folders whose steps were listed."""
    folders: list[str] = []
    steps = Checkpoints.steps
    monkeypatch.setattr(Checkpoints, "steps", lambda self: folders.append(self.folder.uri) or steps(self))
    return folders


def rest(run):
    """Let the run rest: a folder that changed just now is listed again, as its time is too coarse."""
    long_ago = time.time() - 3600
    if path := run.checkpoints.folder.local_path():
        os.utime(path, (long_ago, long_ago))


def test_steps_are_listed_again_once_they_are_old_or_have_changed(run, save, listed):
    saved = SavedSteps(remote_seconds=0.2)
    assert saved.of(run) == []
    time.sleep(0.2)
    for steps in ([10], [10, 20], [10, 20, 30]):
        save(run, steps[-1])
        rest(run)
        assert saved.of(run) == steps
        before = list(listed)
        assert saved.of(run) == steps
        assert listed == before
        time.sleep(0.2)
    run.checkpoints.delete(10)
    assert saved.of(run) == [20, 30]
    assert saved.of(run) == [20, 30]


def test_the_newest_runs_come_first_and_are_not_read_again(storage, run):
    listing = Listing()
    assert [one.run_id for one in listing.newest([storage], limit=1)] == [run.run_id]
    assert listing.newest([storage], limit=0) == []
