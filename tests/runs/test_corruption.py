"""Every corruption of the newest checkpoint is found, named, and the older one used."""

import random

import pytest

from raylm.config.errors import BadInput
from raylm.runs import Checkpoints, starting_checkpoint


def damages(data, rng):
    """Yield (what, damaged bytes); None deletes the file."""
    for position in rng.sample(range(len(data)), 60):
        yield "flip", data[:position] + bytes([data[position] ^ 1 << rng.randrange(8)]) + data[position + 1 :]
    for end in rng.sample(range(len(data)), 20):
        yield "cut", data[:end]
    yield "empty", b""
    yield "append", data + b"x"
    yield "append space", data + b" "
    yield "append line", data + b"\n"
    yield "delete", None


def damage(folder, name, data):
    if data is None:
        folder.remove(name)
    else:
        folder.write(name, data)


def test_each_of_300_corruptions_is_found_and_the_older_used(run, save):
    save(run, 1)
    save(run, 2)
    rng = random.Random(3)
    tried = 0
    data_folder = run.checkpoints.open(2)
    where = [(data_folder, name) for name in ("shard-0.bin", "shard-1.bin", "shard-2.bin")]
    where.append((run.checkpoints.folder / "step-00000002", "manifest.json"))
    for folder, name in where:
        original = folder.read(name)
        for what, data in damages(original, rng):
            if data == original:
                continue
            damage(folder, name, data)
            found, reasons = Checkpoints(run.folder).latest_good()
            assert found is not None, what
            assert found.step == 1, what
            if run.folder.is_local or (what, name) != ("delete", "manifest.json"):
                assert name in reasons[0], what  # on an object store that is an upload which never ended
            tried += 1
        folder.write(name, original)
    assert tried >= 300
    assert run.checkpoints.latest_good()[0].step == 2


def test_the_object_that_committed_a_checkpoint_notices_its_damage_too(run, save):
    save(run, 1)
    save(run, 2)
    shard = run.checkpoints.open(2)
    data = shard.read("shard-0.bin")
    shard.write("shard-0.bin", data[:-1] + bytes([data[-1] ^ 1]))
    assert run.checkpoints.latest_good()[0].step == 1
    assert run.checkpoints.retain(1) == []


def test_a_run_whose_checkpoints_are_all_bad_never_starts_from_zero(run, save):
    for step in (1, 2):
        save(run, step)
        run.checkpoints.open(step).remove("shard-0.bin")
    with pytest.raises(BadInput) as error:
        starting_checkpoint(run)
    assert str(error.value).count("shard-0.bin: missing") == 2


def test_a_run_without_checkpoints_starts_from_zero(run):
    assert starting_checkpoint(run) == (None, [])
