"""What the Data screen asks, of a dataset that a real run learned from."""

import os
from pathlib import Path

import pytest

from raylm.api import dataset_facts
from raylm.api.datasets import FOLDER
from raylm.api.store import Store
from raylm.runs import Run
from tests.asking import ask, result
from tests.data.small_dataset import write_dataset
from tests.tiny import CORPUS, tiny_recipe, train_alone

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def run(folder) -> Run:
    """Return a run on two sources, one of them hostile, whose filters dropped and changed something."""
    (folder / "bad.txt").write_text(f"{HOSTILE}\n\nto ann@example.org\n\nHello 🙂\n\nHello 🙂\n\nmore\n")
    play = {"kind": "text", "path": str(CORPUS), "by": "paragraph", "name": "plays", "licence": "CC0-1.0"}
    bad = {"kind": "text", "path": str(folder / "bad.txt"), "by": "paragraph", "name": HOSTILE}
    recipe = tiny_recipe(
        tokenizer={"kind": "byte_bpe", "vocab_size": 400},
        data={"sources": [play, bad], "filters": [{"kind": "exact_duplicates"}, {"kind": "personal_data"}]},
        train={"max_steps": 5},
    )
    return train_alone(recipe, str(folder / "runs"), "20260101-000000-tiny-0000")


@pytest.fixture(scope="module")
def store(folder, run) -> Store:
    return Store(run.storage, folder=folder)


@pytest.fixture(scope="module")
def dataset_id(store) -> str:
    [row] = result(store, "datasets")["rows"]
    return row["dataset_id"]


def test_datasets_are_listed_newest_first_with_what_they_hold(store, dataset_id, tmp_path):
    [row] = result(store, "datasets")["rows"]
    assert row["sources"] == ["plays", HOSTILE]
    assert (row["tokenizer"], row["vocab_size"], row["problem"]) == ("byte_bpe", 400, "")
    for number, when in enumerate((10, 30, 20)):
        home = tmp_path / "runs" / FOLDER / f"{number:064x}"
        write_dataset(home, {f"s{number}": [1 + number]}, {})
        os.utime(home / "index.json", (when, when))
    (tmp_path / "runs" / FOLDER / ".preparing-x").mkdir()
    (tmp_path / "runs" / FOLDER / "not a dataset").mkdir()
    other = Store(str(tmp_path / "runs"))
    listed = result(other, "datasets", limit=2)
    assert ([row["sources"] for row in listed["rows"]], listed["count"]) == ([["s1"], ["s2"]], 3)
    assert [row["sources"] for row in result(other, "datasets", offset=2)["rows"]] == [["s0"]]


def test_a_damaged_dataset_is_listed_with_its_problem(tmp_path):
    write_dataset(tmp_path / FOLDER / ("a" * 64), {"s": [1]}, {})
    (tmp_path / FOLDER / ("a" * 64) / "index.json").write_text("{")
    store = Store(str(tmp_path))
    [row] = result(store, "datasets")["rows"]
    assert "is damaged" in row["problem"]
    assert "is damaged" in ask(store, "dataset", dataset_id="a" * 64)["error"]["message"]


def test_a_dataset_tells_its_sources_and_what_the_filters_did(store, run, dataset_id):
    facts = result(store, "dataset", dataset_id=dataset_id)
    plays, bad = facts["sources"]
    assert (plays["licence"], bad["name"], bad["read"], bad["removed"]) == ("CC0-1.0", HOSTILE, 5, 1)
    assert sum(source["share"] for source in facts["sources"]) == pytest.approx(1)
    assert facts["tokens"] == sum(split["tokens"] for split in facts["splits"])
    assert facts["duplicates"] == {"exact": 1, "near": None}
    assert facts["contaminated"] is None
    duplicates, personal = facts["filters"]
    assert duplicates["documents"] - duplicates["kept"] == duplicates["dropped"]["total"] == 1
    assert duplicates["examples"][0]["excerpt"].startswith("Hello")
    assert personal["found"]["most"] == [{"name": "email", "count": 1}]
    assert facts["runs"] == [run.run_id]


def test_lengths_come_from_the_offsets_and_from_the_report(store, dataset_id):
    tokens, characters = result(store, "dataset", dataset_id=dataset_id)["lengths"]
    assert (tokens["unit"], characters["series"]) == ("tokens", ["read", "kept"])
    read, kept = zip(*(bucket["counts"] for bucket in characters["buckets"]), strict=True)
    assert sum(read) - sum(kept) == 1
    # A document that the split of training and validation cuts is one in each.
    assert sum(kept) <= sum(bucket["counts"][0] for bucket in tokens["buckets"]) <= sum(kept) + 1
    starts = [bucket["from"] for bucket in tokens["buckets"]]
    assert starts == [starts[0] << place for place in range(len(starts))]


def test_a_run_leads_to_its_dataset_and_to_its_ledger_when_that_is_gone(store, run, dataset_id, tmp_path):
    facts = result(store, "dataset", run_id=run.run_id)
    assert (facts["dataset_id"], facts["run_id"], facts["is_whole"]) == (dataset_id, run.run_id, True)
    home = Path(facts["uri"])
    home.rename(tmp_path / "elsewhere")
    try:
        left = result(store, "dataset", run_id=run.run_id)
        assert (left["is_whole"], left["dataset_id"], left["digest"]) == (False, None, facts["digest"])
        assert left["sources"] == facts["sources"]
        assert left["filters"][0]["dropped"] == facts["filters"][0]["dropped"]
        assert result(store, "tokens_of_text", run_id=run.run_id, text=" the")["num_tokens"] == 1
        assert "error" in ask(store, "documents", run_id=run.run_id)
        assert "error" in ask(store, "dataset", dataset_id=dataset_id)
    finally:
        (tmp_path / "elsewhere").rename(home)
    fresh = Run.create(run.storage, "20260102-000000-new-0000", {"name": "new"})
    error = ask(store, "dataset", run_id=fresh.run_id)["error"]
    assert "no prepared data yet" in error["message"]


def test_documents_of_every_source_are_shown_as_text_and_cut(store, dataset_id):
    documents = result(store, "documents", dataset_id=dataset_id)
    assert {one["source"] for one in documents} == {"plays", HOSTILE}
    assert documents[0]["text"].startswith("First Citizen:")
    assert any(HOSTILE in one["text"] for one in documents)
    assert all(one["num_tokens"] > 100 for one in documents if one["is_cut"])


def test_text_and_ids_lead_to_each_other(store, dataset_id):
    text = " the 🙂\n<|endoftext|>"
    found = result(store, "tokens_of_text", dataset_id=dataset_id, text=text)
    assert (found["is_same"], found["num_characters"], found["num_bytes"]) == (True, 20, 23)
    assert found["tokens"][0] | {"id": 0} == {
        "id": 0, "token": "Ġthe", "text": " the", "bytes": "", "is_special": False, "is_unknown": False,
    }  # fmt: skip
    assert "F0" in {token["bytes"] for token in found["tokens"]}
    assert not any(token["is_special"] for token in found["tokens"]), "in a text its name is only text"
    back = result(
        store, "text_of_tokens", dataset_id=dataset_id, ids=[token["id"] for token in found["tokens"]]
    )
    assert (back["text"], back["tokens"]) == (text, found["tokens"])
    assert result(store, "text_of_tokens", dataset_id=dataset_id, ids=[0])["tokens"][0]["is_special"]


def test_what_is_no_text_no_id_and_no_dataset_is_refused(store, dataset_id):
    known = {"dataset_id": dataset_id}
    for method, args, says in (
        ("tokens_of_text", {**known, "text": 1}, "must be text"),
        ("tokens_of_text", {**known, "text": "x" * 100_001}, "the most is 100,000"),
        ("text_of_tokens", {**known, "ids": [400]}, "no token's id"),
        ("text_of_tokens", {**known, "ids": [-1]}, "no token's id"),
        ("text_of_tokens", {**known, "ids": [1 << 70]}, "no token's id"),
        ("text_of_tokens", {**known, "ids": [True]}, "whole numbers"),
        ("text_of_tokens", {**known, "ids": "1"}, "whole numbers"),
        ("text_of_tokens", {**known, "ids": [1] * 20_001}, "the most is 20,000"),
        ("dataset", {"dataset_id": "../../etc"}, "no prepared dataset"),
        ("dataset", {"dataset_id": 7}, "no prepared dataset"),
        ("dataset", {"run_id": "../x"}, "no id of a run"),
        ("dataset", {}, "no prepared dataset"),
        ("datasets", {"limit": 0}, "whole number from 1"),
    ):
        assert says in ask(store, method, **args)["error"]["message"], (method, args)


def test_answers_have_a_most(store, dataset_id, monkeypatch):
    found = result(store, "tokens_of_text", dataset_id=dataset_id, text="\ud800 x" * 5_000)
    assert (len(found["tokens"]), found["num_characters"]) == (1_000, 15_000)
    monkeypatch.setattr(dataset_facts, "MOST_SOURCES", 1)
    facts = result(store, "dataset", dataset_id=dataset_id)
    assert (len(facts["sources"]), facts["num_sources"]) == (1, 2)
