"""Committing under kill -9 and power loss: nothing acknowledged is lost, nothing torn is listed."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest

from raylm.runs import Checkpoints, Corrupt, Folder, Run, open_shard_writer
from raylm.runs.disk import Disk
from raylm.runs.local_files import LocalFiles

KILLS = 20
FORK = multiprocessing.get_context("fork")  # a fresh interpreter would take longer than the writing


def write_for_ever(uri, step, acknowledged):
    checkpoints = Run.from_uri(uri).checkpoints
    checkpoints.sweep()
    while True:
        staged = checkpoints.staging(step, str(os.getpid()))
        entries = []
        for number in range(4):
            with open_shard_writer(staged, f"shard-{number}.bin") as shard:
                shard.write(random.Random(step).randbytes(50_000))
            entries.append(shard.entry)
        checkpoints.commit(step, entries, {})
        os.write(acknowledged, f"{step}\n".encode())
        checkpoints.retain(3)
        step += 1


def test_kill_9_at_random_moments_loses_nothing(tmp_path):
    run = Run.create(tmp_path / "runs", "killed", {})
    log = tmp_path / "acknowledged"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    rng = random.Random(7)
    torn = lost = 0
    for _ in range(KILLS):
        newest = max(run.checkpoints.steps(), default=0)
        writer = FORK.Process(target=write_for_ever, args=(run.uri, newest + 1, descriptor))
        writer.start()
        time.sleep(0.05 + rng.random() * 0.1)
        writer.kill()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        acknowledged = [int(line) for line in log.read_text().split()]
        listed = Checkpoints(run.folder).list(deep=True)
        torn += sum(one.is_bad for one in listed)
        steps = {one.step for one in listed if not one.is_bad}
        # Retention keeps three, of which the newest may not have been acknowledged any more.
        lost += sum(step not in steps for step in acknowledged if step > max(steps, default=0) - 3)
    os.close(descriptor)
    assert len(acknowledged) > KILLS  # the writers did write between the kills
    assert (torn, lost) == (0, 0)


class PowerCut(BaseException):
    pass


class CuttableDisk(Disk):
    """A disk whose power fails after `stop` operations; what was not synced by then is lost."""

    def __init__(self, stop, *, syncs=True, cut=None):
        self.stop = stop
        self.syncs = syncs
        self.cut = cut
        self.count = 0
        self.unsynced_files = set()
        self.unsynced_renames = []

    def lose_power(self):
        """Undo renames whose folder was not synced, newest first, and empty files that were not."""
        for source, target in reversed(self.unsynced_renames):
            if Path(target).exists() and not Path(source).exists():
                Path(target).rename(source)
                self._follow(target, source)
        for path in self.unsynced_files:
            if Path(path).exists():
                Path(path).write_bytes(b"")

    def make_folder(self, path, mode):
        self._tick()
        super().make_folder(path, mode)

    def open_new(self, path, mode):
        self._tick()
        self.unsynced_files.add(path)
        return super().open_new(path, mode)

    def sync_file(self, file):
        if self.syncs != "no files":
            self._tick(torn=file)
            self.unsynced_files.discard(file.name)

    def sync_folder(self, path):
        if self.syncs != "no folders":
            self._tick()
            self.unsynced_renames = [
                one for one in self.unsynced_renames if one[1].rpartition("/")[0] != path
            ]

    def rename(self, path, target):
        self._tick()
        super().rename(path, target)
        self.unsynced_renames.append((path, target))
        self._follow(path, target)

    def remove(self, path):
        self._tick()
        super().remove(path)

    def remove_tree(self, path):
        self._tick()
        super().remove_tree(path)

    def _follow(self, path, target):
        inside = {one for one in self.unsynced_files if one == path or one.startswith(path + "/")}
        self.unsynced_files -= inside
        self.unsynced_files |= {target + one[len(path) :] for one in inside}

    def _tick(self, torn=None):
        self.count += 1
        if self.count > self.stop:
            if torn is not None and self.cut is not None:
                torn.truncate(int(os.fstat(torn.fileno()).st_size * self.cut))
            raise PowerCut


def commit_five(disk, root, acknowledged):
    checkpoints = Checkpoints(Folder(LocalFiles(disk=disk), str(root)))
    for step in range(1, 6):
        staged = checkpoints.staging(step, "t")
        entries = []
        for number in range(2):
            with open_shard_writer(staged, f"shard-{number}.bin") as shard:
                shard.write(random.Random(step).randbytes(300))
            entries.append(shard.entry)
        checkpoints.commit(step, entries, {})
        acknowledged.append(step)
        checkpoints.retain(2)


def crash_everywhere(tmp_path, model, syncs):
    """Return (crash points, checkpoints acknowledged and lost, checkpoints listed and torn)."""
    points = lost = torn = 0
    for cut in (None, 0.5):
        is_whole, stop = False, 0
        while not is_whole:
            root = tmp_path / f"{cut}-{stop}"
            root.mkdir()
            disk, acknowledged = CuttableDisk(stop, syncs=syncs, cut=cut), []
            try:
                commit_five(disk, root, acknowledged)
                is_whole = True
            except PowerCut:
                pass
            if model == "power":
                disk.lose_power()
            found, reasons = Checkpoints(Folder.open(root)).latest_good()
            points += 1
            lost += (found.step if found else 0) < max(acknowledged, default=0)
            torn += bool(reasons)
            stop += 1
    return points, lost, torn


@pytest.mark.parametrize("model", ["kill", "power"])
def test_a_crash_at_any_operation_loses_nothing(tmp_path, model):
    points, lost, torn = crash_everywhere(tmp_path, model, syncs="all")
    assert points > 100
    assert (lost, torn) == (0, 0)


@pytest.mark.parametrize("syncs", ["no files", "no folders"])
def test_the_power_model_notices_a_missing_sync(tmp_path, syncs):
    points, lost, _ = crash_everywhere(tmp_path, "power", syncs=syncs)
    assert lost > points / 10


def test_a_naive_writer_is_caught_by_the_same_check(tmp_path):
    """Without staging, a cut leaves a listed checkpoint that verification refuses."""
    run = Run.create(tmp_path, "naive", {})
    run.folder.write("checkpoints/step-00000001/shard.bin", b"half")
    [listed] = run.checkpoints.list()
    assert listed.is_bad
    with pytest.raises(Corrupt, match=r"manifest\.json: missing"):
        run.checkpoints.verify(1)
