"""From files to blocks: what is counted, what is refused, what decides the blocks."""

import hashlib
import json

import pytest

from raylm.config import BadInput
from raylm.data import extract as module
from raylm.data.blocks import Block
from raylm.data.extract import Parcel, Stored, extract, parcels
from raylm.data.prepare import prepare
from raylm.data.section import DataSection
from raylm.data.sources.jsonl import Jsonl
from raylm.data.sources.text import Text
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.character import Character
from raylm.data.workspace import Workspace
from tests.data.corpora import files_of, paragraphs, write_block

SPLIT = {"split_by": "document", "validation_share": 0.0}


def stored(source):
    return [Stored(item, source.stamp(item), source.digest(item, lambda _: None)) for item in source.inputs()]


def extracted(source, folder):
    """Return the parcels' results, and the documents in order."""
    workspace = Workspace(str(folder))
    found = [extract(parcel) for parcel in parcels(workspace.uri, 0, source, stored(source))]
    refs = [ref for part in found for ref in part.blocks]
    blocks = [Block.from_bytes(workspace.read(ref.step, ref.name)) for ref in refs]
    assert [block.size.documents for block in refs] == [len(block.texts) for block in blocks]
    return found, [document[:2] for block in blocks for document in block.documents()]


@pytest.fixture
def rows(tmp_path):
    """Two files, each read by itself, with three bad rows in the first and two in the second."""
    for name, count in (("one", 3), ("two", 2)):
        good = "\n".join(json.dumps({"text": f"{name} {number}"}) for number in range(10))
        write_block_of_rows(tmp_path / f"{name}.jsonl", good + "\nno JSON" * count)
    return tmp_path / "*.jsonl"


def write_block_of_rows(path, text):
    """Write rows that are a block of their own; the last one says nothing."""
    for number in range(10**6):
        content = f"{text}\n" + json.dumps({"text": "", "number": number}) + "\n"
        if hashlib.sha256(content.encode()).hexdigest().endswith("00"):
            path.write_text(content)
            return


def test_documents_come_with_their_places_and_blank_ones_are_counted(tmp_path):
    (tmp_path / "x.txt").write_text("one\n\n   \n\0\nt\0wo\n\u2003\n")
    (part,), documents = extracted(Text(path=str(tmp_path / "x.txt"), by="line"), tmp_path / "work")
    assert documents == [("one", f"{tmp_path}/x.txt:1"), ("t\0wo", f"{tmp_path}/x.txt:5")]
    assert (part.reading.blank, part.reading.nul) == (4, 1)
    assert (part.size.documents, part.size.characters) == (2, 7)


@pytest.mark.parametrize("block_bytes", [1, 100, 5000])
def test_the_size_of_blocks_changes_nothing_but_the_blocks(tmp_path, monkeypatch, block_bytes):
    (tmp_path / "x.txt").write_text("\n".join(paragraphs(60, seed=1)), encoding="utf-8")
    source = Text(path=str(tmp_path / "x.txt"), by="line")
    (whole,), documents = extracted(source, tmp_path / "whole")
    monkeypatch.setattr(module, "BLOCK_BYTES", block_bytes)
    (cut,), again = extracted(source, tmp_path / "cut")
    assert again == documents
    assert (cut.size, cut.longest, cut.reading) == (whole.size, whole.longest, whole.reading)
    assert len(whole.blocks) == 1
    assert len(cut.blocks) == (60 if block_bytes < 101 else 3)


def test_the_prepared_data_does_not_depend_on_the_size_of_blocks_or_parcels(tmp_path, monkeypatch):
    for number in range(5):
        text = "\n".join(paragraphs(30, seed=number))
        (tmp_path / f"{number}.txt").write_text(text, encoding="utf-8")
    data = DataSection(sources=(Text(path=str(tmp_path / "*.txt"), by="line"),), num_workers=1)
    one = prepare(data, ByteBpe(vocab_size=300), str(tmp_path / "one"))
    monkeypatch.setattr(module, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(module, "_PARCEL_BYTES", 8000)
    other = prepare(data, ByteBpe(vocab_size=300), str(tmp_path / "other"))
    assert len(list((tmp_path / "other/datasets/.work/read").glob("*.arrow"))) >= 15
    assert files_of(other.uri) == files_of(one.uri)


def test_a_file_with_a_certain_digest_ends_what_is_read_together(tmp_path, monkeypatch):
    for number in range(6):
        (tmp_path / f"{number}.txt").write_text(f"text {number} " * 10)
    write_block(tmp_path / "2.txt", "the third")
    source = Text(path=str(tmp_path / "*.txt"))
    inputs = stored(source)

    def names(inputs):
        found = parcels(str(tmp_path), 0, source, inputs)
        return [[each.item.name[-5] for each in parcel.inputs] for parcel in found]

    assert names(inputs) == [["0", "1", "2"], ["3", "4", "5"]]
    monkeypatch.setattr(module, "_PARCEL_BYTES", 140)
    assert names(inputs) == [["0", "1"], ["2"], ["3", "4"], ["5"]]
    before = [parcel.key for parcel in parcels("a", 0, source, inputs)]
    changed = [inputs[0]._replace(sha256="1" * 64), *inputs[1:]]
    after = [parcel.key for parcel in parcels("b", 1, source, changed)]
    assert before[0] != after[0]
    assert before[1:] == after[1:]


def test_a_bad_row_is_an_error_with_its_place(rows, tmp_path):
    data = DataSection(sources=(Jsonl(path=str(rows)),), **SPLIT)
    with pytest.raises(BadInput) as caught:
        prepare(data, Character(), str(tmp_path / "storage"))
    (problem,) = caught.value.problems
    assert problem.field == "data.sources.0.path"
    assert problem.location == f"{tmp_path}/one.jsonl:11"


def test_skipped_rows_are_counted_over_all_files(rows, tmp_path):
    source = Jsonl(path=str(rows), on_bad_row="skip", licence="MIT", max_bad_rows=5)
    made = prepare(DataSection(sources=(source,), **SPLIT), Character(), str(tmp_path / "storage"))
    assert made.index.num_documents == 20
    (note,) = made.index.notes
    assert note.startswith(f"data.sources.0: 5 rows skipped; the first: {tmp_path}/one.jsonl:11: ")


@pytest.mark.parametrize("limit", [4, 2, 0])
def test_more_skipped_rows_than_the_limit_are_an_error(rows, tmp_path, limit):
    source = Jsonl(path=str(rows), on_bad_row="skip", max_bad_rows=limit)
    with pytest.raises(BadInput) as caught:
        prepare(DataSection(sources=(source,), **SPLIT), Character(), str(tmp_path / "storage"))
    (problem,) = caught.value.problems
    assert (problem.field, problem.code) == ("data.sources.0.max_bad_rows", "bad-rows")
    expected = f"more than {limit} rows hold no document; the first is {tmp_path}/one.jsonl:11: "
    assert problem.message.startswith(expected)


def test_a_stricter_policy_is_heeded_though_the_rows_were_skipped_before(rows, tmp_path):
    source = Jsonl(path=str(rows), on_bad_row="skip")
    data = DataSection(sources=(source,), **SPLIT)
    prepare(data, Character(), str(tmp_path / "storage"))
    for change, code in (({"max_bad_rows": 1}, "bad-rows"), ({"on_bad_row": "fail"}, "not-json")):
        stricter = data.model_copy(update={"sources": (source.model_copy(update=change),)})
        with pytest.raises(BadInput) as caught:
            prepare(stricter, Character(), str(tmp_path / "storage"))
        assert caught.value.problems[0].code == code
        assert "one.jsonl:11" in str(caught.value)


def test_a_file_that_changes_while_it_is_read_leaves_no_result(tmp_path):
    (tmp_path / "x.txt").write_text("before")
    source = Text(path=str(tmp_path / "x.txt"))
    (parcel,) = parcels(str(tmp_path / "work"), 0, source, stored(source))
    assert isinstance(parcel, Parcel)
    (tmp_path / "x.txt").write_text("now it is longer")
    with pytest.raises(BadInput, match=r"x\.txt changed while it was read"):
        extract(parcel)
    assert Workspace(parcel.workspace).keys("read", ".json") == set()
