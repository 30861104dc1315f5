import errno
import os
import stat

import pytest

from raylm.config.errors import BadInput
from raylm.runs import Folder, Lease, Run, make_run_id, open_shard_writer
from raylm.runs.disk import Disk
from raylm.runs.local_files import LocalFiles

# Windows names, paths, spaces, controls, non-ASCII, and lengths: row 79 of the bad inputs.
NAMES = [
    "", " ", ".", "..", "../x", "../../x", "a/../../x", "/etc/x", "//x", "a/b", "a\\b", "..\\x",
    "C:\\x", "C:x", "~", "~root", "a b", " a", "a ", "a.", "a..", "-a", "_a", ".hidden", "con", "CON",
    "con.txt", "NUL", "aux.log", "COM1", "lpt9.x", "con\n", "a\n", "a\x00b", "a\tb", "é", "名", "🚀",
    "a" * 65, "a;touch pwned", "$(id)", "`id`", "a|b", "a*", "%2e%2e%2fx", "a\u202eb", "file://x",
    "s3://b",
]  # fmt: skip


def everything_under(path):
    return sorted(str(one.relative_to(path)) for one in path.rglob("*"))


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leads_out_of_the_storage(name, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "runs").mkdir()
    with pytest.raises(BadInput) as error:
        Run.create(outside / "runs", name)
    assert error.value.problems[0].mend
    with pytest.raises(BadInput):
        Run.open(outside / "runs", name)
    assert everything_under(tmp_path) == ["outside", "outside/runs"]


@pytest.mark.parametrize(
    "name", ["../x", "a/../x", "/x", "", "a//b", "a/", "..", ".", "a\\b", "a\0b", "a\nb"]
)
def test_a_folder_refuses_names_that_lead_elsewhere(storage, name):
    folder = Folder.open(storage)
    for use in (folder.read, folder.__truediv__, folder.reader, folder.writer, folder.size, folder.remove):
        with pytest.raises(BadInput):
            use(name)
    with pytest.raises(BadInput):
        folder.write(name, b"")


def test_what_is_written_is_read(storage):
    folder = Folder.open(storage)
    folder.write("a/b.json", b"one")
    folder.write("a/b.json", b"two")
    assert folder.read("a/b.json") == b"two"
    assert folder.read("a/b.json", 1, 2) == b"w"
    assert folder.read("a/b.json", 9, 12) == b""
    assert (folder / "a").names() == ["b.json"]
    assert folder.size("a/b.json") == 3
    assert folder.exists("a/b.json")
    assert not folder.exists("a/c.json")
    assert folder.names("nothing") == []
    with pytest.raises(FileNotFoundError):
        folder.read("missing")


def test_create_keeps_the_first(storage):
    folder = Folder.open(storage)
    folder.create("claim", b"first")
    with pytest.raises(FileExistsError):
        folder.create("claim", b"second")
    assert folder.read("claim") == b"first"
    assert folder.names(hidden=True) == ["claim"]


def test_a_tree_is_removed_but_not_what_its_links_point_to(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    folder = Folder.open(tmp_path / "gone").make()
    (tmp_path / "gone" / "link").symlink_to(tmp_path / "kept")
    folder.remove_tree()
    assert not folder.exists()
    assert (tmp_path / "kept" / "file").exists()


def test_a_run_behind_a_link_is_refused(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs" / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="symbolic link"):
        Run.open(tmp_path / "runs", "linked")


@pytest.mark.parametrize(
    ("access", "folder_mode", "file_mode"), [("private", 0o700, 0o600), ("group", 0o2770, 0o660)]
)
def test_modes_are_exact_whatever_the_umask(tmp_path, access, folder_mode, file_mode, save):
    before = os.umask(0o027)
    try:
        run = Run.create(tmp_path / "runs", make_run_id("modes"), {"access": access})
        run = Run.open(run.storage, run.run_id)  # finds the access by itself
        number = run.claim_launch("a: 1\n", how="here")
        lease = Lease.acquire(run, number)
        run.emit("client", "launched")
        save(run, 1)
        lease.release("finished")
    finally:
        os.umask(before)
    found = [(path, stat.S_IMODE(path.stat().st_mode)) for path in run.folder.local_path().rglob("*")]
    assert {mode for path, mode in found if path.is_dir()} == {folder_mode}
    assert {mode for path, mode in found if path.is_file()} == {file_mode}
    assert len(found) > 10


class FullDisk(Disk):
    def sync_file(self, file):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_said_with_path_and_room_and_leaves_the_old_file(tmp_path):
    Folder.open(tmp_path).write("status.json", b"old")
    folder = Folder(LocalFiles(disk=FullDisk()), str(tmp_path))
    with pytest.raises(OSError, match=r"disk is full.* free") as error:
        folder.write("status.json", b"new")
    assert error.value.errno == errno.ENOSPC
    assert folder.read("status.json") == b"old"
    assert folder.names(hidden=True) == ["status.json"]


def test_a_shard_that_does_not_fit_gives_no_entry(tmp_path):
    folder = Folder(LocalFiles(disk=FullDisk()), str(tmp_path))
    shard = open_shard_writer(folder, "shard.bin")
    shard.write(b"x")
    with pytest.raises(OSError, match="disk is full"):
        shard.close()
    with pytest.raises(AssertionError):
        _ = shard.entry


def test_a_filesystem_without_hard_links_still_creates_once(tmp_path):
    class NoLinks(Disk):
        def link(self, path, target):
            raise OSError(errno.EPERM, "Operation not permitted")

    folder = Folder(LocalFiles(disk=NoLinks()), str(tmp_path))
    folder.create("claim", b"first")
    with pytest.raises(FileExistsError):
        folder.create("claim", b"second")
    assert folder.read("claim") == b"first"


def test_an_unknown_filesystem_is_bad_input():
    with pytest.raises(BadInput, match="storage"):
        Folder.open("nowhere://bucket/runs")
