import itertools

import pytest

from raylm.config.errors import BadInput
from raylm.runs import Checkpoints, fork


def spoil(run, step):
    run.checkpoints.open(step).write("shard-0.bin", b"x" * 3000)  # the size fits, the bytes do not


def test_the_newest_ones_stay(run, save):
    for step in range(1, 6):
        save(run, step)
    assert run.checkpoints.retain(2) == [3, 2, 1]
    assert run.checkpoints.steps() == [4, 5]
    assert run.checkpoints.folder.names(hidden=True) == ["step-00000004", "step-00000005"]


@pytest.mark.parametrize("is_new_process", [False, True])
def test_the_last_good_one_stays_whatever_is_newer(run, save, is_new_process):
    for step in range(1, 6):
        save(run, step)
    for step in (3, 4, 5):
        spoil(run, step)
    checkpoints = Checkpoints(run.folder) if is_new_process else run.checkpoints
    assert checkpoints.retain(1) == [1]
    assert checkpoints.latest_good()[0].step == 2


def test_every_pattern_of_damage_leaves_a_good_one(storage, save):
    from raylm.runs import Run, make_run_id

    for pattern in itertools.product([True, False], repeat=3):
        run = Run.create(storage, make_run_id("pattern"), {})
        for step, is_good in enumerate(pattern, 1):
            save(run, step, num_bytes=3000)
            if not is_good:
                spoil(run, step)
        newest = max((step for step, is_good in enumerate(pattern, 1) if is_good), default=None)
        Checkpoints(run.folder).retain(1)
        found, _ = Checkpoints(run.folder).latest_good()
        assert (found.step if found else None) == newest


def test_a_pinned_checkpoint_stays_until_its_fork_is_gone(run, save):
    from raylm.runs import delete

    run.claim_launch("a: 1\n", how="here")
    for step in range(1, 5):
        save(run, step)
    child = fork(run, 1)
    assert run.checkpoints.retain(1) == [3, 2]
    with pytest.raises(BadInput, match=child.run_id):
        run.checkpoints.delete(1)
    delete(child)
    assert run.checkpoints.retain(1) == [1]


def test_a_person_cannot_delete_the_last_good_one_nor_one_that_is_not_there(run, save):
    save(run, 1)
    save(run, 2)
    spoil(run, 2)
    with pytest.raises(BadInput, match="last good"):
        run.checkpoints.delete(1)
    with pytest.raises(BadInput, match="there are"):
        run.checkpoints.delete(7)
    run.checkpoints.delete(2)
    assert run.checkpoints.steps() == [1]


def test_keeping_costs_no_second_reading_of_what_was_just_written(run, save, monkeypatch):
    from raylm.runs import checkpoints as module

    save(run, 1)
    save(run, 2)

    def fail(*_):
        pytest.fail("hashed again")

    monkeypatch.setattr(module, "check_hash", fail)
    assert run.checkpoints.retain(1) == [1]
