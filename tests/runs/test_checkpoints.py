import contextlib
import hashlib
import json
import random
import stat
import subprocess
import threading

import pytest

from raylm.config.errors import BadInput
from raylm.runs import Corrupt, FileEntry, Lease, open_shard_writer


def flip(folder, name, position=0):
    data = bytearray(folder.read(name))
    data[position] ^= 1
    folder.write(name, bytes(data))


def test_a_committed_checkpoint_is_good_and_holds_its_facts(run, save):
    made = save(run, 10, metrics={"eval/loss": 1.5}, layers=(1, 2), bad=float("nan"))
    assert made.state == "good"
    found, reasons = run.checkpoints.latest_good()
    assert found == made
    assert reasons == []
    facts = found.facts
    assert (facts["step"], facts["tokens_seen"], facts["metrics"]) == (10, 1000, {"eval/loss": 1.5})
    assert (facts["layers"], facts["bad"]) == ([1, 2], None)
    assert found.num_bytes == 9000
    assert run.checkpoints.open(10).read("shard-1.bin") == random.Random(101).randbytes(3000)
    assert [one.state for one in run.checkpoints.list()] == ["unverified"]
    assert [one.state for one in run.checkpoints.list(deep=True)] == ["good"]


def test_the_manifest_is_readable_and_names_each_file(run, save):
    save(run, 10)
    manifest = json.loads(run.folder.read("checkpoints/step-00000010/manifest.json"))
    assert manifest["format"] == 1
    assert sorted(manifest["files"]) == ["shard-0.bin", "shard-1.bin", "shard-2.bin"]
    data = random.Random(100).randbytes(3000)
    assert manifest["files"]["shard-0.bin"] == {"bytes": 3000, "sha256": hashlib.sha256(data).hexdigest()}


def test_nothing_is_listed_before_the_commit(run):
    staged = run.checkpoints.staging(5, "a1")
    with open_shard_writer(staged, "shard.bin") as shard:
        shard.write(b"x")
    assert run.checkpoints.list() == []
    assert run.checkpoints.latest_good()[0] is None
    assert run.checkpoints.staging(5, "a1").path == staged.path
    assert run.checkpoints.staging(5, "a2").path != staged.path


def test_ranks_write_into_one_folder_at_once(run):
    entries = []

    def rank(number):
        staged = type(run).open(run.storage, run.run_id).checkpoints.staging(3, "token")
        with open_shard_writer(staged, f"deep/shard-{number}.bin") as shard:
            shard.write(bytes([number]) * 1000)
        entries.append(shard.entry)

    threads = [threading.Thread(target=rank, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    run.checkpoints.commit(3, entries, {}, "token")
    assert run.checkpoints.verify(3).num_bytes == 8000


def test_the_shard_writer_hashes_what_it_streams(run):
    staged = run.checkpoints.staging(1, "t")
    parts = [b"abc", bytearray(b"def"), memoryview(b"ghi" * 1000)]
    with open_shard_writer(staged, "shard.bin") as shard:
        for part in parts:
            assert shard.write(part) == len(part)
        assert shard.tell() == 3006
    data = b"".join(bytes(part) for part in parts)
    assert shard.entry == FileEntry("shard.bin", 3006, hashlib.sha256(data).hexdigest())
    assert staged.read("shard.bin") == data
    with staged.reader("shard.bin") as file:
        file.seek(3)
        assert file.read(3) == b"def"


def test_a_shard_left_by_an_error_has_no_entry(run):
    staged = run.checkpoints.staging(1, "t")
    shard = open_shard_writer(staged, "shard.bin")
    with contextlib.suppress(ZeroDivisionError), shard:
        shard.write(b"half")
        raise ZeroDivisionError
    assert shard.closed
    with pytest.raises(AssertionError):
        _ = shard.entry


def test_a_reported_shard_that_is_not_there_is_no_checkpoint(run, save):
    staged = run.checkpoints.staging(1, "t")
    with open_shard_writer(staged, "shard.bin") as shard:
        shard.write(b"x")
    for wrong in (FileEntry("other.bin", 1, "0"), shard.entry._replace(bytes=2)):
        with pytest.raises(Corrupt, match=wrong.name):
            run.checkpoints.commit(1, [shard.entry, wrong], {}, "t")
    assert run.checkpoints.list() == []


def test_a_step_saved_again_keeps_the_good_one(run, save):
    first = save(run, 4, "a1")
    again = save(run, 4, "a2", num_bytes=10)
    assert again == first
    assert run.checkpoints.verify(4).num_bytes == 9000
    assert run.checkpoints.folder.names(hidden=True) == ["step-00000004"]


def test_a_step_saved_again_replaces_a_bad_one_and_keeps_that_for_study(run, save):
    save(run, 4, "a1")
    flip(run.checkpoints.open(4), "shard-1.bin")
    again = save(run, 4, "a2", num_bytes=10)
    assert again.state == "good"
    assert run.checkpoints.verify(4).num_bytes == 30
    inside = run.checkpoints.folder if run.folder.is_local else run.checkpoints.folder / "step-00000004"
    assert any(name.lstrip(".").startswith("bad-") for name in inside.names(hidden=True))


def test_an_old_attempt_cannot_commit(run, save):
    lease = Lease.acquire(run, run.claim_launch("a: 1\n", how="here"))
    lease.start_attempt()
    save(run, 1, attempt=1)
    lease.start_attempt()
    with pytest.raises(BadInput, match="attempt 2 has begun"):
        save(run, 2, attempt=1)
    assert run.checkpoints.steps() == [1]
    save(run, 2, attempt=2)
    lease.release("stopped")


def test_a_sweep_leaves_only_what_is_committed(run, save):
    save(run, 1)
    for token in ("x", "y"):
        with open_shard_writer(run.checkpoints.staging(2, token), "shard.bin") as shard:
            shard.write(b"half")
    run.checkpoints.sweep()
    assert run.checkpoints.folder.names(hidden=True) == ["step-00000001"]
    assert run.checkpoints.latest_good()[0].step == 1


def test_a_newer_format_is_refused_by_version(run, save):
    save(run, 1)
    save(run, 2)
    name = "checkpoints/step-00000002/manifest.json"
    manifest = json.loads(run.folder.read(name)) | {"format": 99}
    run.folder.write(name, json.dumps(manifest).encode())
    found, [reason] = run.checkpoints.latest_good()
    assert found.step == 1
    assert "format 99 is newer" in reason


def test_a_manifest_that_points_out_of_its_folder_is_refused(run, save):
    from raylm.runs.manifest import Manifest

    save(run, 1)
    evil = Manifest(1, (FileEntry("../../../run.json", run.folder.size("run.json"), "0"),), {}, "")
    run.folder.write("checkpoints/step-00000001/manifest.json", evil.to_bytes())
    with pytest.raises(Corrupt, match="not the name of a file"):
        run.checkpoints.verify(1)


def test_files_of_a_checkpoint_are_private(tmp_path, save):
    from raylm.runs import Run

    run = Run.create(tmp_path, "modes", {})
    save(run, 1)
    for path in run.folder.local_path("checkpoints").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_other_names_in_the_folder_are_no_checkpoints(run, save):
    save(run, 1)
    for name in ("step-x/manifest.json", "step-1/manifest.json", "notes.txt"):
        run.folder.write(f"checkpoints/{name}", b"{}")
    assert run.checkpoints.steps() == [1]


def test_a_full_filesystem_keeps_the_older_checkpoint_and_goes_on_after_retention(tmp_path, save):
    """Row 7 of the faults, on a real small filesystem; needs the right to mount one."""
    from raylm.runs import Run

    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no right to mount a small filesystem: {mounted.stderr.decode().strip()}")
    try:
        run = Run.create(folder, "full", {})
        with pytest.raises(OSError, match=r"disk is full.* free"):
            [save(run, step, num_bytes=200_000) for step in range(1, 50)]
        saved = run.checkpoints.steps()[-1]
        assert saved >= 3
        assert run.checkpoints.latest_good()[0].step == saved
        run.checkpoints.sweep()
        run.checkpoints.retain(1)
        assert save(run, saved + 1, num_bytes=200_000).state == "good"
    finally:
        subprocess.run(["umount", folder], check=True)
