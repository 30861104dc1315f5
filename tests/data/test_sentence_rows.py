"""Rows of whole sentences: which stand in them, and whose text may stand in for their second half."""

from typing import NamedTuple

import numpy as np
import pytest

from raylm.data import sentence_rows as module
from raylm.data.rows import RowReader
from raylm.data.sentence_rows import sentence_rows
from raylm.data.shards import Dataset
from raylm.data.writer import SplitWriter
from tests.data.small_dataset import write_dataset

LENGTH = 20


class Layout(NamedTuple):
    """A split as a row plan sees it."""

    source_tokens: np.ndarray
    document_offsets: np.ndarray
    sentence_offsets: np.ndarray


def layout(*sources):
    """Return the layout of sources; each is documents, each of those the lengths of its sentences."""
    sentences = [length for source in sources for document in source for length in document]
    documents = [sum(document) for source in sources for document in source]
    offsets = [np.cumsum([0, *lengths]) for lengths in ([sum(map(sum, each)) for each in sources], documents)]
    return Layout(*offsets, np.cumsum([0, *sentences]))


def drawn(seed, longest):
    """Return two sources of documents with many sentences and few, and one document of one."""
    rng = np.random.default_rng(seed)
    sizes = [[int(size) for size in rng.integers(2, 30, 12)] for _ in range(2)]
    sources = [[rng.integers(1, longest + 1, size).tolist() for size in each] for each in sizes]
    sources[0].insert(3, [4])
    return layout(*sources)


def document_of(split, token):
    return int(np.searchsorted(split.document_offsets, token, side="right"))


@pytest.mark.parametrize("seed", range(5))
def test_a_row_holds_as_many_whole_sentences_of_one_document_as_fit(seed):
    split = drawn(seed, LENGTH // 2)
    rows, borders = sentence_rows(split, LENGTH), set(split.sentence_offsets.tolist())
    for row in range(rows.num_rows):
        tokens, sentences = rows.spans(row)[:2]
        assert {tokens.start, tokens.stop} <= borders
        assert tokens.stop - tokens.start <= LENGTH
        assert document_of(split, tokens.start) == document_of(split, tokens.stop - 1)
        bounds = split.sentence_offsets[sentences.start : sentences.stop]
        assert (bounds[0], bounds[-1]) == (tokens.start, tokens.stop)
        assert len(bounds) > 2
    ends = rows.ranges(np.arange(rows.num_rows))
    sizes = np.diff(split.document_offsets)
    following = split.sentence_offsets[np.searchsorted(split.sentence_offsets, ends[:-1, 1]) + 1]
    is_inside = ~np.isin(ends[:-1, 1], split.document_offsets)
    # One sentence fewer stands in a row before a last one that would be alone.
    is_full = following - ends[:-1, 0] > LENGTH
    is_before_last = np.isin(ends[1:, 1], split.document_offsets)
    assert (is_full | is_before_last)[is_inside].all()
    assert len(set().union(*(range(*each) for each in ends.tolist()))) == sizes.sum() - 4  # the lone one


@pytest.mark.parametrize("block", [1, 3, 7])
def test_rows_do_not_depend_on_how_many_sentences_are_looked_at_together(block, monkeypatch):
    split = drawn(0, LENGTH)
    whole = sentence_rows(split, LENGTH)
    monkeypatch.setattr(module, "_BLOCK", block)
    parts = sentence_rows(split, LENGTH)
    assert parts.firsts.tolist() == whole.firsts.tolist()
    assert parts.lasts.tolist() == whole.lasts.tolist()


def test_a_last_sentence_is_not_left_alone():
    rows = sentence_rows(layout([[5, 5, 5, 9], [9, 9, 9]]), LENGTH)
    # Of three that fit the last goes with it; of two both stay, and one of them is read twice.
    assert rows.ranges(np.arange(4)).tolist() == [[0, 10], [10, 24], [24, 42], [33, 51]]


def test_of_two_sentences_that_do_not_fit_what_adjoins_is_kept():
    split = layout([[30, 30], [30, 4], [4, 30], [3, 3]])
    rows = sentence_rows(split, LENGTH)
    assert rows.ranges(np.arange(4)).tolist() == [[20, 40], [74, 94], [94, 114], [128, 134]]
    assert rows.num_inputs(np.arange(4)) == 66
    (note,) = rows.notes
    assert "3 rows hold two sentences that are longer than 20 tokens" in note
    assert "68 tokens are left out" in note


def test_documents_of_one_sentence_are_left_out_and_counted():
    rows = sentence_rows(layout([[5], [3, 3], [50]], [[2, 2], [1], [2, 2]]), LENGTH)
    assert rows.source_rows == (1, 2)
    assert rows.ranges(np.arange(3)).tolist() == [[5, 11], [61, 65], [66, 70]]
    assert rows.notes[0].startswith("3 documents of a single sentence are left out with 56 tokens")
    assert rows.notes[1].startswith("1 sources hold one document of several sentences")


@pytest.mark.parametrize("seed", range(3))
def test_a_partner_is_of_another_document_of_the_same_source(seed):
    split = drawn(seed, LENGTH)
    rows = sentence_rows(split, LENGTH)
    owners = np.repeat([0, 1], rows.source_rows)
    partners = [rows.partner(row) for row in range(rows.num_rows)]
    assert owners[partners].tolist() == owners.tolist()
    for row, partner in enumerate(partners):
        mine, _, other, sentences = rows.spans(row)
        assert document_of(split, mine.start) != document_of(split, other.start)
        assert rows.spans(partner)[:2] == (other, sentences)
    assert len(set(partners)) > rows.num_rows / 2
    assert partners == [sentence_rows(split, LENGTH).partner(row) for row in range(rows.num_rows)]


def test_where_there_is_one_document_the_partner_is_another_row():
    rows = sentence_rows(layout([[9] * 20], [[5, 5]]), LENGTH)
    assert rows.source_rows == (10, 1)
    partners = [rows.partner(row) for row in range(10)]
    assert all(row != partner < 10 for row, partner in enumerate(partners))
    assert rows.partner(10) == 10
    assert "2 sources hold one document" in rows.notes[-1]


def test_ranges_and_counts_of_many_rows_are_those_of_their_own_runs():
    rows = sentence_rows(drawn(1, 2 * LENGTH), LENGTH)
    for chosen in (np.arange(rows.num_rows), np.array([3, 0, 3]), np.empty(0, dtype=np.int64)):
        spans = [rows.spans(int(row))[0] for row in chosen]
        assert rows.ranges(chosen).tolist() == [[span.start, span.stop] for span in spans]
        assert rows.num_inputs(chosen) == sum(span.stop - span.start for span in spans)


@pytest.mark.parametrize("sources", [(), ([],), ([[1]],), ([[7], [8]],)])
def test_a_split_without_two_sentences_has_no_rows(sources):
    rows = sentence_rows(layout(*sources), LENGTH)
    assert rows.num_rows == 0
    assert rows.source_rows == (0,) * len(sources)


def test_a_dataset_gives_tokens_and_offsets_of_both_runs(tmp_path, monkeypatch):
    sentences = [np.array([2, 3, 4, 6]), np.array([5, 4, 3, 2, 1])]
    add = SplitWriter.add
    monkeypatch.setattr(SplitWriter, "add", lambda *given: add(*given, sentences[given[3]]))
    write_dataset(tmp_path, {"a": [5, 10], "b": [9, 6]}, {})
    split = Dataset.open(tmp_path).splits["train"]
    assert split.sentence_offsets.tolist() == [0, 2, 5, 9, 15, 20, 24, 27, 29, 30]
    rows = split.sentence_rows(LENGTH)
    assert rows is split.sentence_rows(LENGTH)
    first, *_ = RowReader(split, rows).rows(0, 1)
    assert [array.tolist() for array in first.arrays] == [
        [0, 1, 2, 3, 4],
        [0, 2, 5],
        [*range(5, 15)],
        [5, 9, 15],
    ]
