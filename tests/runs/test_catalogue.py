import time

import pytest

from raylm.config.errors import BadInput
from raylm.runs import Folder, Run, attach, find, list_runs
from raylm.runs.summary import summary


def make(storage, run_id, **header):
    return Run.create(storage, run_id, header)


def test_runs_are_listed_newest_first(storage):
    ids = ["20260101-000000-a-0000", "20260102-000000-b-0000", "20260101-120000-c-0000"]
    for run_id in ids:
        make(storage, run_id)
    own = make(storage, "chosen-by-hand")  # newest: made now
    assert [run.run_id for run in list_runs([storage])] == [own.run_id, ids[1], ids[2], ids[0]]


def test_a_bad_run_does_not_break_the_list(storage):
    make(storage, "20260101-000000-good-0000")
    root = Folder.open(storage)
    root.write("20260102-000000-torn-0000/run.json", b'{"format": ')
    root.write("20260103-000000-empty-0000/status.json", b"\xff")
    root.write("20260104-000000-odd-0000/run.json", b"[1, 2]")
    root.write("20260105-000000-new-0000/run.json", b'{"format": 99}')
    root.write("by-hand/run.json", b'{"format": 1, "created": "yesterday"}')
    root.write("datasets/abc/index.json", b"{}")
    root.write("a file", b"")
    rows = {run.run_id: summary(run) for run in list_runs([storage])}
    assert len(rows) == 6
    assert rows["20260101-000000-good-0000"]["status"] == "pending"
    assert rows["by-hand"]["status"] == "lost"
    for run_id, words in {
        "20260102-000000-torn-0000": "cannot be read",
        "20260103-000000-empty-0000": "missing",
        "20260104-000000-odd-0000": "cannot be read",
        "20260105-000000-new-0000": "format 99",
    }.items():
        assert rows[run_id]["status"] == "lost"
        assert words in rows[run_id]["reason"]


def test_damaged_status_values_do_not_break_the_list(run):
    for values in (
        b'{"status": 3}',
        b'{"status": "running", "heartbeat": "x", "owner": 5, "launch": "y"}',
        b"{}",
    ):
        run.folder.write("status.json", values)
        assert summary(Run.open(run.storage, run.run_id))["status"]
    run.folder.write("launches/1.json", b"[]")
    assert summary(run)["status"]


def test_a_run_is_found_by_id_beginning_and_name(storage, save):
    run = make(storage, "20260101-000000-alpha-0a0a", name="alpha")
    make(storage, "20260202-000000-beta-0b0b")
    for reference in ("20260101-000000-alpha-0a0a", "20260101", "alpha", run.uri):
        assert find(reference, [storage])[0].run_id == run.run_id
        assert find(reference, [storage])[1] is None
    save(run, 5, metrics={"eval/loss": 1.0})
    save(run, 9, metrics={"eval/loss": 2.0})
    assert [find(f"alpha@{which}", [storage])[1] for which in ("5", "best", "last")] == [5, 5, 9]
    assert find(f"{run.uri}@5")[1] == 5


def test_a_reference_to_nothing_names_what_is_near(storage, save):
    run = make(storage, "20260101-000000-shakespeare-0a0a")
    make(storage, "20260101-000000-other-0b0b")
    with pytest.raises(BadInput, match="did you mean shakespeare"):
        find("shakespear", [storage])
    with pytest.raises(BadInput, match="2 runs answer"):
        find("2026", [storage])
    with pytest.raises(BadInput, match="runs list"):
        find("qqq", [storage])
    save(run, 5)
    for which in ("6", "", "x", "../../x", "-5", "\u0665", "5 ", "1e1"):
        with pytest.raises(BadInput, match="there are: 5"):
            find(f"shakespeare@{which}", [storage])
    with pytest.raises(BadInput, match="eval/loss"):
        find("shakespeare@best", [storage])


@pytest.mark.parametrize("reference", ["", "@5", "../x", "/", "a\0b", "no/such@1", "é"])
def test_odd_references_are_bad_input(storage, reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a reference may be a path
    with pytest.raises(BadInput):
        find(reference, [storage])


def test_every_configured_storage_is_read_and_one_out_of_reach_is_left_out(
    tmp_path, own_configuration, monkeypatch
):
    monkeypatch.delenv("RAYLM_STORAGE")
    first = make(tmp_path / "one", "20260101-000000-one-0000")
    second = make(tmp_path / "two", "20260102-000000-two-0000")
    (tmp_path / "file").touch()
    settings = own_configuration / "config" / "raylm" / "config.yaml"
    settings.parent.mkdir(parents=True)
    names = ("one", "two", "missing", "file")
    settings.write_text("storages:\n" + "".join(f"  - {tmp_path / name}\n" for name in names))
    assert [run.run_id for run in list_runs()] == [second.run_id, first.run_id]
    assert attach("one").run_id == first.run_id


def test_two_thousand_runs_are_listed_quickly(tmp_path, capsys):
    root = Folder.open(tmp_path)
    for number in range(2000):
        folder = tmp_path / f"20260101-{number:06d}-many-{number:04x}"
        folder.mkdir()
        (folder / "run.json").write_text('{"format": 1, "name": "many", "created": 1767225600}')
        (folder / "status.json").write_text('{"status": "finished", "step": 10, "launch": 1}')
        (folder / "launches").mkdir()
        (folder / "launches" / "1.json").write_text("{}")
    begun = time.perf_counter()
    runs = list_runs([root.uri])
    listed = time.perf_counter()
    page = [summary(run) for run in runs[:50]]
    paged = time.perf_counter()
    rows = [summary(run) for run in runs]
    done = time.perf_counter()
    with capsys.disabled():
        print(f"\n2,000 runs: listed in {(listed - begun) * 1e3:.0f} ms, ", end="")
        print(f"page of 50 in {(paged - listed) * 1e3:.0f} ms, all read in {(done - paged) * 1e3:.0f} ms")
    assert len(rows) == 2000
    assert {row["status"] for row in page} == {"finished"}
