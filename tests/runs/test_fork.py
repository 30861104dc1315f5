import pytest

from raylm.config.errors import BadInput
from raylm.runs import Lease, Run, delete, fork, starting_checkpoint


@pytest.fixture
def parent(run, save):
    Lease.acquire(run, run.claim_launch("a: 1\n", how="here")).release("finished")
    for step in (10, 20):
        save(run, step)
    return run


def test_a_fork_starts_at_the_parents_checkpoint(parent):
    child = fork(parent, 10)
    checkpoint, reasons = starting_checkpoint(child)
    assert (checkpoint.step, reasons) == (10, [])
    assert checkpoint.folder.read("shard-0.bin") == parent.checkpoints.open(10).read("shard-0.bin")
    header = child.header()["parent"]
    assert header == {"uri": parent.uri, "step": 10, "digest": parent.checkpoints.verify(10).digest}
    assert child.status().status == "stopped"
    assert child.status().step == 10
    assert child.recipe_yaml() == "a: 1\n"


def test_by_default_a_fork_stands_on_the_newest_good_checkpoint(parent):
    parent.checkpoints.open(20).remove("shard-0.bin")
    child = fork(parent, recipe_yaml="a: 2\n", run_id="my-fork")
    assert (child.run_id, child.header()["parent"]["step"]) == ("my-fork", 10)
    assert child.recipe_yaml() == "a: 2\n"


def test_a_fork_is_launched_like_any_run_and_then_uses_its_own_checkpoints(parent, save):
    child = fork(parent, 20)
    assert child.claim_launch("a: 3\n", how="here") == 1
    save(child, 25)
    assert starting_checkpoint(child)[0].step == 25


@pytest.mark.parametrize("step", [15, -1])
def test_a_fork_of_a_step_that_is_not_there_is_refused_and_leaves_no_trace(parent, step):
    before = parent.folder.names("pins")
    with pytest.raises(BadInput, match="no checkpoint"):
        fork(parent, step)
    assert parent.folder.names("pins") == before


def test_a_fork_of_a_bad_checkpoint_names_the_file(parent):
    parent.checkpoints.open(10).remove("shard-1.bin")
    with pytest.raises(BadInput, match=r"shard-1\.bin: missing"):
        fork(parent, 10)


def test_a_fork_under_a_taken_or_bad_id_is_refused(parent):
    first = fork(parent, 10, run_id="taken")
    with pytest.raises(BadInput, match="exists"):
        fork(parent, 20, run_id="taken")
    assert starting_checkpoint(first)[0].step == 10
    with pytest.raises(BadInput):
        fork(parent, 10, run_id="../x")
    assert parent.folder.names("pins") == ["taken.json"]


def test_a_parent_whose_checkpoint_is_another_one_is_noticed(parent, save):
    child = fork(parent, 10)
    parent.checkpoints.open(10).remove("shard-0.bin")
    save(parent, 10, "again", num_bytes=100)
    with pytest.raises(BadInput, match="not the one"):
        starting_checkpoint(child)


def test_a_live_run_is_not_deleted(run):
    number = run.claim_launch("a: 1\n", how="here")
    with pytest.raises(BadInput, match="pending"):
        delete(run)
    lease = Lease.acquire(run, number)
    with pytest.raises(BadInput, match="runs stop"):
        delete(run)
    lease.release("stopped")
    delete(run)
    with pytest.raises(BadInput, match="no run"):
        Run.open(run.storage, run.run_id)


def test_a_parent_is_deleted_only_after_its_children_which_are_named(parent):
    children = [fork(parent, 10), fork(parent, 20)]
    with pytest.raises(BadInput) as error:
        delete(parent)
    assert all(child.run_id in str(error.value) for child in children)
    for child in children:
        delete(child)
    delete(parent)


def test_a_damaged_run_can_be_deleted(parent):
    parent.folder.write("run.json", b"{")
    delete(Run.open(parent.storage, parent.run_id))
    with pytest.raises(BadInput):
        Run.open(parent.storage, parent.run_id)
