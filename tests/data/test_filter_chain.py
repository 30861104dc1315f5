"""Filters in their declared order over sources and blocks."""

import gzip
import json

import pytest

from raylm.config import BadInput
from raylm.data import extract
from raylm.data.filters.c4_quality import C4Quality
from raylm.data.filters.exact_duplicates import ExactDuplicates
from raylm.data.filters.licence import Licence
from raylm.data.filters.near_duplicates import NearDuplicates
from raylm.data.filters.personal_data import PersonalData
from raylm.data.filters.unicode import Unicode
from raylm.data.prepare import prepare, training_texts
from raylm.data.section import DataSection
from raylm.data.sources.text import Text
from raylm.data.tokenizers.character import Character
from raylm.runs.folder import Folder
from tests.data.corpora import change_a_word, files_of, paragraphs

GOOD = paragraphs(8, seed=5)


class Corpus:
    """Sources of lines by name, prepared with filters."""

    def __init__(self, folder, **lines):
        self.folder = folder
        for name, texts in lines.items():
            (folder / f"{name}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
        self.sources = tuple(
            Text(path=str(folder / f"{name}.txt"), by="line", name=name, licence="MIT") for name in lines
        )
        self.storage = str(folder / "storage")

    def data(self, *filters, **settings):
        given = {"validation_share": 0.0, "sources": self.sources, **settings}
        return DataSection(filters=filters, **given)

    def prepare(self, *filters, **settings):
        return Outcome(self.folder, prepare(self.data(*filters, **settings), Character(), self.storage))

    def texts(self, *filters, **settings):
        return list(training_texts(self.data(*filters, **settings), self.storage))


class Outcome:
    def __init__(self, folder, made):
        self.made = made
        self.ledger = json.loads(Folder.open(made.uri).read("ledger.json"))["sources"]
        packed = Folder.open(made.uri).read("decisions.jsonl.gz")
        self._decisions = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
        self._folder = folder

    @property
    def removed(self):
        return {source["name"]: source["removed"] for source in self.ledger}

    @property
    def changed(self):
        return {source["name"]: source["changed"] for source in self.ledger}

    @property
    def decisions(self):
        """What was decided, without the folder's name."""
        return [
            (
                each["filter"],
                each["action"],
                each["origin"].removeprefix(f"{self._folder}/"),
                each["detail"].replace(f"{self._folder}/", ""),
            )
            for each in self._decisions
        ]


def test_the_first_of_copies_stays_across_sources(tmp_path):
    corpus = Corpus(tmp_path, one=[GOOD[0], GOOD[1], GOOD[0]], two=[GOOD[2], GOOD[1], GOOD[0]])
    outcome = corpus.prepare(ExactDuplicates())
    assert outcome.removed == {
        "one": {"exact_duplicates": {"exact_duplicate": 1}},
        "two": {"exact_duplicates": {"exact_duplicate": 2}},
    }
    assert outcome.decisions == [
        ("exact_duplicates", "dropped", "one.txt:3", "kept: one.txt:1"),
        ("exact_duplicates", "dropped", "two.txt:2", "kept: one.txt:2"),
        ("exact_duplicates", "dropped", "two.txt:3", "kept: one.txt:1"),
    ]
    assert corpus.texts(ExactDuplicates()) == [GOOD[0], GOOD[1], GOOD[2]]


def test_a_filter_sees_what_those_before_it_left(tmp_path):
    broken = f"schÃ¶n {GOOD[0]}"
    corpus = Corpus(tmp_path, one=[f"schön {GOOD[0]}", broken])
    assert corpus.texts(Unicode(), ExactDuplicates()) == [f"schön {GOOD[0]}"]
    assert len(corpus.texts(ExactDuplicates(), Unicode())) == 2
    outcome = corpus.prepare(Unicode(), ExactDuplicates())
    assert [each[:3] for each in outcome.decisions] == [
        ("unicode", "changed", "one.txt:2"),
        ("exact_duplicates", "dropped", "one.txt:2"),
    ]


def test_near_copies_are_found_across_sources_and_blocks(tmp_path, monkeypatch):
    corpus = Corpus(tmp_path, one=GOOD, two=[change_a_word(text, 3) for text in GOOD[:4]])
    expected = files_of(corpus.prepare(NearDuplicates()).made.uri)
    outcome = corpus.prepare(NearDuplicates())
    assert outcome.removed == {"one": {}, "two": {"near_duplicates": {"near_duplicate": 4}}}
    assert outcome.decisions[1][2] == "two.txt:2"
    assert outcome.decisions[1][3].endswith("; kept: one.txt:2")
    monkeypatch.setattr(extract, "BLOCK_BYTES", 300)
    corpus.storage = str(tmp_path / "small")
    assert files_of(corpus.prepare(NearDuplicates()).made.uri) == expected


def test_a_filter_is_for_the_sources_that_it_names_only(tmp_path):
    line = "Write to jane@example.org. " + GOOD[0]
    corpus = Corpus(tmp_path, one=[line], two=[line], three=[line])
    outcome = corpus.prepare(PersonalData(only=("two",)), ExactDuplicates(only=("one", "three")))
    assert outcome.changed == {"one": {}, "two": {"personal_data": {"email": 1}}, "three": {}}
    assert outcome.removed == {
        "one": {},
        "two": {},
        "three": {"exact_duplicates": {"exact_duplicate": 1}},
    }
    assert [source["documents"] for source in outcome.ledger] == [1, 1, 0]


def test_a_name_that_no_source_has_is_refused_before_anything_is_read(tmp_path):
    corpus = Corpus(tmp_path, books=GOOD)
    with pytest.raises(BadInput) as caught:
        corpus.prepare(Unicode(), ExactDuplicates(only=("boks",)))
    assert str(caught.value).startswith("data.filters.1.only: no source is named 'boks'")
    assert "books" in str(caught.value)
    assert not (tmp_path / "storage").exists()


def test_an_unknown_licence_is_refused_only_where_the_filter_is_for_the_source(tmp_path):
    corpus = Corpus(tmp_path, one=GOOD[:4], two=GOOD[4:])
    one, two = corpus.sources
    sources = (one, two.model_copy(update={"licence": "unknown"}))
    with pytest.raises(BadInput) as caught:
        corpus.prepare(Licence(), sources=sources)
    assert str(caught.value).startswith("data.sources.1.licence: ")
    assert corpus.prepare(Licence(only=("one",)), sources=sources).made.index.num_documents == 8


def test_an_unknown_licence_is_noted(tmp_path):
    corpus = Corpus(tmp_path, one=GOOD[:4], two=GOOD[4:])
    one, two = corpus.sources
    made = corpus.prepare(sources=(one, two.model_copy(update={"licence": ""}))).made
    (note,) = made.index.notes
    assert note.startswith("data.sources.1.licence: unknown")


def test_a_document_of_which_a_filter_leaves_nothing_is_dropped(tmp_path):
    corpus = Corpus(tmp_path, one=["\x01\x02\x03", *GOOD])
    outcome = corpus.prepare(Unicode())
    assert outcome.removed == {"one": {"unicode": {"nothing_left": 1}}}
    assert outcome.made.index.num_documents == 8


def test_a_source_of_which_nothing_is_left_stays_in_the_ledger(tmp_path):
    corpus = Corpus(tmp_path, one=GOOD, two=["too short", "this too"])
    outcome = corpus.prepare(C4Quality(only=("two",)), ExactDuplicates(), NearDuplicates())
    assert [(source["name"], source["documents"]) for source in outcome.ledger] == [("one", 8), ("two", 0)]
    assert outcome.made.index.sources[1].num_tokens == {"train": 0, "validation": 0}


def test_nothing_left_at_all_is_an_error_that_says_so(tmp_path):
    corpus = Corpus(tmp_path, one=["too short", "this too"])
    with pytest.raises(BadInput) as caught:
        corpus.prepare(C4Quality(), ExactDuplicates())
    assert str(caught.value).startswith("data.filters: no document is left after the filters; ")


def test_what_each_filter_saw_adds_up(tmp_path):
    corpus = Corpus(tmp_path, one=[*GOOD, GOOD[0], "short"], two=[change_a_word(GOOD[1], 5), "Call me at"])
    made = corpus.prepare(Unicode(), ExactDuplicates(), NearDuplicates(), PersonalData()).made
    report = json.loads(Folder.open(made.uri).read("report.json"))
    seen = {each["kind"]: (each["documents"], sum(each["dropped"].values())) for each in report["filters"]}
    assert seen == {
        "unicode": (12, 0),
        "exact_duplicates": (12, 1),
        "near_duplicates": (11, 1),
        "personal_data": (10, 0),
    }
    assert made.index.num_documents == 10


def test_filters_decide_the_same_whether_or_not_they_decided_before(tmp_path):
    corpus = Corpus(tmp_path, one=[*GOOD, GOOD[0]], two=[change_a_word(GOOD[1], 5), "mail a@example.org now"])
    filters = (Unicode(), ExactDuplicates(), PersonalData(), NearDuplicates())
    first = corpus.prepare(*filters).made
    before = files_of(first.uri)
    Folder.open(first.uri).remove_tree()
    again = corpus.prepare(*filters).made
    assert not again.is_reused
    assert files_of(again.uri) == before
    corpus.prepare(*filters[:2])
    corpus.storage = str(tmp_path / "fresh")
    assert files_of(corpus.prepare(*filters).made.uri) == before


def test_moving_a_filter_does_not_give_its_decisions_to_another(tmp_path):
    line = "Write to jane@example.org. " + GOOD[0]
    corpus = Corpus(tmp_path, one=[line, f"schÃ¶n {GOOD[1]}"])
    one = corpus.prepare(Unicode(), PersonalData())
    other = corpus.prepare(Licence(), Unicode(), PersonalData())
    for outcome in (one, other):
        assert outcome.changed["one"]["personal_data"] == {"email": 1}
        assert [each[0] for each in outcome.decisions] == ["personal_data", "unicode"]
