"""What was done before is not done again, and what is done again is said."""

import os
import time
from pathlib import Path

import pytest

from raylm.config import BadInput
from raylm.data.filters.repetition import Repetition
from raylm.data.prepare import prepare
from raylm.data.section import DataSection
from raylm.data.sources.text import Text
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.character import Character
from raylm.data.tokenizers.pretrained import Pretrained
from raylm.runs.folder import Folder
from tests.data.corpora import files_of, filtered, results, write_block, written


def is_mark(name):
    """Whether this result says that a task was done; other files stand beside it."""
    return not name.endswith((".arrow", ".gz"))


class Bench:
    """A storage, and what each preparation in it wrote anew."""

    def __init__(self, folder):
        (folder / "texts").mkdir()
        self.texts = folder / "texts"
        self.storage = str(folder / "storage")
        self.data = filtered(self.texts, split_by="document")
        self.said = []
        self.first = self.prepare()[0]

    def prepare(self, tokenizer=None, **changes):
        """Return what was prepared, and the number of results written for it, by step."""
        self.said.clear()
        before = results(self.storage)
        data = self.data.model_copy(update=changes)
        made = prepare(data, tokenizer or Character(), self.storage, self._hear)
        new = written(before, results(self.storage))
        return made, {step: sum(map(is_mark, names)) for step, names in new.items()}

    def _hear(self, now):
        if now.message:
            self.said.append(now.message)

    def fresh(self, folder, **changes):
        data = self.data.model_copy(update=changes)
        return files_of(prepare(data, Character(), str(folder)).uri)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


ENCODED = {"tokens": 7, "hashes": 7}


def test_a_preparation_of_the_same_does_nothing(bench):
    again, new = bench.prepare()
    assert (again.is_reused, new, bench.said) == (True, {}, [])


def test_what_a_preparation_uses_is_kept_for_another_week(bench):
    work = Path(bench.storage, "datasets", ".work")
    long_ago = time.time() - 30 * 24 * 3600
    for path in work.glob("*/*"):
        os.utime(path, (long_ago, long_ago))
    before = results(bench.storage)
    Folder.open(bench.first.uri).remove_tree()
    _, new = bench.prepare()
    assert new == {}
    assert results(bench.storage) == before


def test_another_tokenizer_only_learns_and_encodes(bench):
    _, new = bench.prepare(ByteBpe(vocab_size=300))
    assert new == {"tokenizer": 1, **ENCODED}


def test_another_split_only_learns_and_encodes(bench):
    assert bench.prepare(split_seed=1)[1] == {"tokenizer": 1, **ENCODED}


@pytest.fixture
def pretrained(bench):
    """A tokenizer that looks at no text."""
    return Pretrained(path=f"{bench.first.uri}/tokenizer")


def test_with_a_trained_tokenizer_a_source_less_encodes_nothing_again(bench, pretrained):
    assert bench.prepare(pretrained)[1] == {"tokenizer": 1, **ENCODED}
    assert bench.prepare(pretrained, sources=bench.data.sources[:2])[1] == {"decide": 2}


def test_with_a_trained_tokenizer_another_split_is_encoded_anew(bench, pretrained, tmp_path):
    bench.prepare(pretrained)
    made, new = bench.prepare(pretrained, validation_share=0.4)
    assert new == ENCODED
    data = bench.data.model_copy(update={"validation_share": 0.4})
    assert files_of(made.uri) == files_of(prepare(data, pretrained, str(tmp_path / "fresh")).uri)


def test_a_mended_licence_does_nothing_again_and_is_in_the_ledger(bench, tmp_path):
    books, *others = bench.data.sources
    made, new = bench.prepare(sources=(books.model_copy(update={"licence": "CC0-1.0"}), *others))
    assert new == {}
    assert not made.is_reused
    assert made.digest == bench.first.digest
    assert [source.licence for source in made.index.sources] == ["CC0-1.0", "MIT", "MIT"]


def test_a_filter_at_the_end_is_the_only_one_that_works(bench, tmp_path):
    filters = (*bench.data.filters, Repetition())
    made, new = bench.prepare(filters=filters)
    assert new["clean"] == 7
    assert {*new} <= {"clean", "tokenizer", "tokens", "hashes"}
    assert files_of(made.uri) == bench.fresh(tmp_path / "fresh", filters=filters)


def test_a_filter_that_is_left_out_at_the_end_leaves_what_those_before_it_did(bench):
    _, new = bench.prepare(filters=bench.data.filters[:3])
    assert "read" not in new
    assert "sketch" not in new


def test_a_source_that_is_left_out_is_all_that_changes(bench, tmp_path):
    sources = bench.data.sources[:2]
    made, new = bench.prepare(sources=sources)
    # What the two filters of the whole corpus drop is decided anew; the texts of the others stay as they are.
    assert new == {"decide": 2, "tokenizer": 1, "tokens": 5, "hashes": 5}
    assert bench.said == []
    assert files_of(made.uri) == bench.fresh(tmp_path / "fresh", sources=sources)


def test_without_the_source_of_the_first_copies_the_others_come_back(bench, tmp_path):
    sources = bench.data.sources[1:]
    made, new = bench.prepare(sources=sources)
    assert "read" not in new
    assert files_of(made.uri) == bench.fresh(tmp_path / "fresh", sources=sources)
    letters, copies = made.index.sources
    assert sum(letters.num_documents.values()) == 15
    assert sum(copies.num_documents.values()) == 51


def test_sources_in_another_order_are_not_read_again(bench, tmp_path):
    sources = bench.data.sources[::-1]
    made, new = bench.prepare(sources=sources)
    assert "read" not in new
    assert files_of(made.uri) == bench.fresh(tmp_path / "fresh", sources=sources)


def test_a_changed_file_is_named_and_read_with_no_other(bench, tmp_path):
    text = (bench.texts / "book2.txt").read_text(encoding="utf-8")
    write_block(bench.texts / "book2.txt", text.replace("ba", "bu"))
    made, new = bench.prepare()
    assert (new["read"], bench.said) == (1, [f"new or changed, to be read: 1 files: {bench.texts}/book2.txt"])
    assert files_of(made.uri) == bench.fresh(tmp_path / "fresh")


def test_a_new_file_between_others_is_read_alone(bench, tmp_path):
    write_block(bench.texts / "book11.txt", "A new book.\n\nIt is short.")
    made, new = bench.prepare()
    assert (new["read"], len(bench.said)) == (1, 1)
    assert "book11.txt" in bench.said[0]
    assert files_of(made.uri) == bench.fresh(tmp_path / "fresh")


def test_a_file_that_only_moved_is_not_read_again(bench):
    (bench.texts / "book0.txt").rename(bench.texts / "book00.txt")
    made, new = bench.prepare()
    assert (made.is_reused, new) == (True, {})


def test_after_an_error_what_was_read_is_kept(tmp_path):
    for number in range(3):
        write_block(tmp_path / f"{number}.txt", f"good text {number}\n" * 20)
    (tmp_path / "3.txt").write_bytes(b"not UTF-8: \xff")
    data = DataSection(sources=(Text(path=str(tmp_path / "*.txt")),), num_workers=1)
    storage = str(tmp_path / "storage")
    with pytest.raises(BadInput, match=r"3\.txt.*is not UTF-8"):
        prepare(data, Character(), storage)
    before = results(storage)
    assert len([name for name in before if name.endswith(".json")]) == 3
    (tmp_path / "3.txt").write_text("mended")
    said = []
    prepare(data, Character(), storage, lambda now: said.append(now.message))
    assert [name for name in before if results(storage)[name] != before[name]] == []
    assert [message for message in said if message] == [
        f"new or changed, to be read: 1 files: {tmp_path}/3.txt"
    ]
