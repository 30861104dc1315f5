import os
import time
from pathlib import Path

import pytest

from raylm.runs import Folder, Lease, MetricsWriter, Run, StepRecord, delete, list_runs
from raylm.runs.listing import Listing
from raylm.runs.summary import summary


@pytest.fixture
def listing() -> Listing:
    return Listing()


@pytest.fixture
def local(tmp_path: Path) -> str:
    return str(tmp_path / "runs")


def make(storage, run_id, **header):
    return Run.create(storage, run_id, header)


def end(run, word="finished"):
    Lease.acquire(run, run.claim_launch("name: x\n", how="here")).release(word)


def rest(storage):
    """Let the storage rest: folders that changed just now are read again, as their times are too coarse."""
    long_ago = time.time() - 3600
    for folder, _, _ in os.walk(storage):
        os.utime(folder, (long_ago, long_ago))


def ids(rows):
    return [row["run_id"] for row in rows]


def count_reads(monkeypatch) -> list[str]:
    names: list[str] = []
    read = Folder.read
    monkeypatch.setattr(
        Folder, "read", lambda folder, name, *span: names.append(name) or read(folder, name, *span)
    )
    return names


def test_a_page_is_what_the_catalogue_lists(listing, storage):
    for number in range(5):
        make(storage, f"2026010{number + 1}-000000-a-0000")
    make(storage, "by-hand")
    expected = [{**summary(run), "loss": None} for run in list_runs([storage])]
    assert listing.page([storage]) == expected
    assert listing.page([storage], limit=2, offset=1) == expected[1:3]
    assert listing.page([storage], offset=6) == []
    assert listing.page([storage, storage]) == expected


def test_ended_runs_are_not_read_again(listing, local, monkeypatch):
    for number in range(3):
        end(make(local, f"2026010{number + 1}-000000-a-0000"))
    rest(local)
    first = listing.page([local])
    reads = count_reads(monkeypatch)
    assert listing.page([local]) == first
    assert listing.live([local]) == []
    assert reads == []


def test_what_changes_is_seen_at_once(listing, storage):
    run = make(storage, "20260101-000000-a-0000")
    end(run)
    rest(storage)
    assert listing.page([storage])[0]["status"] == "finished"
    lease = Lease.acquire(run, run.claim_launch("name: x\n", how="here"))
    assert listing.page([storage])[0]["status"] == "running"
    lease.release("stopped", "asked to")
    assert listing.page([storage])[0]["status"] == "stopped"


def test_a_launch_alone_is_seen(listing, storage):
    run = make(storage, "20260101-000000-a-0000")
    end(run)
    rest(storage)
    listing.page([storage])
    run.claim_launch("name: x\n", how="here")
    assert listing.page([storage])[0]["status"] == "pending"


def test_runs_come_and_go(listing, local):
    make(local, "20260101-000000-a-0000")
    by_hand = Path(local) / "by-hand"
    by_hand.mkdir()
    rest(local)
    assert ids(listing.page([local])) == ["20260101-000000-a-0000"]
    newer = make(local, "20260102-000000-b-0000")
    assert ids(listing.page([local])) == ["20260102-000000-b-0000", "20260101-000000-a-0000"]
    end(newer)
    delete(newer)
    rest(local)
    assert ids(listing.page([local])) == ["20260101-000000-a-0000"]
    (by_hand / "run.json").write_text('{"format": 1, "created": 1}')
    assert ids(listing.page([local])) == ["20260101-000000-a-0000", "by-hand"]


def test_a_search_looks_for_every_word_in_id_and_name(listing, storage):
    make(storage, "20260101-000000-gpt-0000", name="GPT small")
    make(storage, "20260102-000000-bert-0000", name="BERT small")
    assert ids(listing.page([storage], search="Small GPT")) == ["20260101-000000-gpt-0000"]
    assert ids(listing.page([storage], search="small", limit=1)) == ["20260102-000000-bert-0000"]
    assert ids(listing.page([storage], search="20260101 gpt")) == ["20260101-000000-gpt-0000"]
    assert listing.page([storage], search="t5") == []


def test_a_storage_out_of_reach_is_left_out(listing, local, tmp_path):
    run = make(local, "20260101-000000-a-0000")
    (tmp_path / "file").write_text("")
    assert ids(listing.page([str(tmp_path / "file"), "nowhere://x", local])) == [run.run_id]
    Folder.open(local).write("datasets/index.json", b"{}")
    (Path(local) / "odd\\name").mkdir()
    assert ids(listing.page([local])) == [run.run_id]
    assert ids(listing.page([local])) == [run.run_id]


def test_a_row_has_the_last_loss(listing, storage):
    run = make(storage, "20260101-000000-a-0000")
    writer = MetricsWriter(run, 1)
    for step, loss in ((1, 4.0), (2, 3.5)):
        writer.append(StepRecord(step, 1, step, 0.0, {"train/loss": loss}))
    writer.close()
    assert listing.page([storage])[0]["loss"] == 3.5
