"""Rows of documents: which tokens stand in them, under each policy."""

from itertools import product

import numpy as np
import pytest

from raylm.data.best_fit import best_fit
from raylm.data.packing import Packing, pack
from raylm.data.rows import RowReader
from raylm.data.section import DataSection
from raylm.data.sources.text import Text
from tests.data.small_dataset import layout, write_dataset

LENGTH = 16
SOURCES = ([5, 40, 1, 17, 3, 16, 2], [], [9] * 7 + [33, 2, 1], [1, 1])
KEEPING = [Packing(policy, "split", across) for policy, across in
           product(("stream", "best_fit", "document"), (True, False))]  # fmt: skip
EVERY = [Packing(*each) for each in product(("stream", "best_fit", "document"),
                                            ("split", "truncate", "drop"), (True, False))]  # fmt: skip
by_policy = pytest.mark.parametrize("packing", EVERY, ids=lambda each: "-".join(map(str, each)))


def arrays_of(rows, row):
    """Return a row's tokens as an objective gets them, one array a text."""
    texts = []
    for span in rows.spans(row):
        tokens = list(range(span.start, span.stop))
        if span.joins and texts:
            texts[-1] += tokens
        else:
            texts.append(tokens)
    return texts


def one_by_one(sizes, capacity):
    """Best-fit decreasing as it is written in the book; return the room left in each bin, sorted."""
    rooms = []
    for size in sorted(sizes, reverse=True):
        fitting = [(room, number) for number, room in enumerate(rooms) if room >= size]
        if not fitting:
            rooms.append(capacity)
        number = min(fitting)[1] if fitting else len(rooms) - 1
        rooms[number] -= size
    return sorted(rooms)


@pytest.mark.parametrize("capacity", [1, 7, 100, 1023, 1024, 1025, 5000])
@pytest.mark.parametrize("spread", [0.2, 1.5])
def test_best_fit_packs_as_tightly_as_one_item_after_the_other(capacity, spread):
    rng = np.random.default_rng(capacity)
    sizes = np.clip(rng.lognormal(np.log(capacity / 3), spread, 400).astype(np.int64), 1, capacity)
    bins = best_fit(sizes, capacity)
    used = np.bincount(bins, weights=sizes).astype(int)
    assert sorted(capacity - used) == one_by_one(sizes.tolist(), capacity)


def test_best_fit_of_nothing_is_nothing():
    assert best_fit(np.empty(0, dtype=np.int64), 10).tolist() == []


@pytest.mark.parametrize("num_tokens", [0, 1, 2, 16, 17, 18, 33, 1000])
def test_one_source_streams_in_windows_that_share_one_token(num_tokens):
    rows = pack(layout([num_tokens] if num_tokens else []), Packing(), LENGTH, lookahead=1)
    expected = [
        [(start, min(start + LENGTH + 1, num_tokens))] for start in range(0, max(0, num_tokens - 1), LENGTH)
    ]
    found = [[(span.start, span.stop) for span in rows.spans(row)] for row in range(rows.num_rows)]
    assert found == expected


@by_policy
@pytest.mark.parametrize("lookahead", [0, 1])
def test_a_row_holds_tokens_of_one_source_and_no_more_than_its_length(packing, lookahead):
    split = layout(*SOURCES)
    rows = pack(split, packing, LENGTH, lookahead)
    assert rows.num_rows == sum(rows.source_rows)
    owners = np.repeat(np.arange(len(SOURCES)), rows.source_rows)
    for row in range(rows.num_rows):
        texts = arrays_of(rows, row)
        tokens = [token for text in texts for token in text]
        if owners[row] == 3 and not tokens:  # a window over documents of one token each
            continue
        low, high = split.source_tokens[owners[row] : owners[row] + 2]
        assert low <= min(tokens) <= max(tokens) < high
        assert sum(len(text) - lookahead for text in texts) <= LENGTH
        assert all(len(text) > lookahead for text in texts)


@by_policy
def test_without_attention_across_documents_no_text_crosses_a_border(packing):
    split = layout(*SOURCES)
    rows = pack(split, packing._replace(attend_across_documents=False), LENGTH, lookahead=1)
    borders = set(split.document_offsets.tolist())
    assert rows.num_rows > 5
    for row in range(rows.num_rows):
        assert not any(borders & set(text[1:]) for text in arrays_of(rows, row))


@pytest.mark.parametrize("packing", KEEPING, ids=lambda each: "-".join(map(str, each)))
def test_every_token_of_a_document_but_its_first_is_predicted_once(packing):
    split = layout(*SOURCES)
    rows = pack(split, packing, LENGTH, lookahead=1)
    # The first token of a piece follows another document or none: its own piece does not predict it.
    pieces = rows.ranges(np.arange(rows.num_rows)).tolist()
    targets = [token for start, stop in pieces for token in range(start + 1, stop)]
    if packing.policy == "stream":  # one piece may hold several documents, whose firsts are then predicted
        targets = [token for token in targets if token not in set(split.document_offsets.tolist())]
    firsts = set(split.document_offsets.tolist())
    assert len(set(targets)) == len(targets)
    assert set(targets) | firsts == set(range(split.document_offsets[-1])) | {split.document_offsets[-1]}


@by_policy
@pytest.mark.parametrize("lookahead", [0, 1])
def test_ranges_and_counts_of_many_rows_are_those_of_each(packing, lookahead):
    rows = pack(layout(*SOURCES), packing, LENGTH, lookahead)
    for chosen in (np.arange(rows.num_rows), np.array([3, 0, 3]), np.empty(0, dtype=np.int64)):
        spans = [list(span[1:3]) for row in chosen for span in rows.spans(int(row))]
        assert rows.ranges(chosen).tolist() == spans
        inputs = [len(text) - lookahead for row in chosen for text in arrays_of(rows, int(row))]
        assert rows.num_inputs(chosen) == sum(inputs)


def test_best_fit_cuts_no_document_that_fits_and_fills_its_rows():
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(4, 1, 2000).astype(int), 2, 600).tolist()
    split, length = layout(lengths), 256
    rows = pack(split, Packing("best_fit"), length, lookahead=1)
    pieces = rows.ranges(np.arange(rows.num_rows))
    borders = split.document_offsets
    whole = np.isin(pieces[:, 0], borders) & np.isin(pieces[:, 1], borders)
    assert whole.sum() == sum(each <= length + 1 for each in lengths)
    assert rows.num_inputs(np.arange(rows.num_rows)) > 0.98 * length * rows.num_rows


@pytest.mark.parametrize("policy", ["best_fit", "document"])
def test_long_documents_are_cut_short_or_left_out_by_policy(policy):
    split = layout([10, 40, 1, 17, 18])
    for long_documents, kept in (("truncate", {*range(27), *range(51, 85)}), ("drop", {*range(10)})):
        rows = pack(split, Packing(policy, long_documents), LENGTH, lookahead=1)
        ranges = rows.ranges(np.arange(rows.num_rows)).tolist()
        seen = {token for start, stop in ranges for token in range(start, stop)}
        if long_documents == "drop":
            kept |= set(range(51, 68))  # 17 tokens are 16 to read and one to predict
        assert seen == kept


@pytest.mark.parametrize(
    ("long_documents", "says"),
    [
        ("split", "2 documents are longer than a row of 16 tokens and are cut into several rows"),
        ("truncate", "and are cut off: 24 tokens are left out"),
        ("drop", "and are left out with 58 tokens"),
    ],
)
def test_documents_that_do_not_fit_are_counted(long_documents, says):
    rows = pack(layout([10, 40, 1, 17], [18, 1]), Packing("document", long_documents), LENGTH, lookahead=1)
    short, long = rows.notes
    assert short == "2 documents are too short to predict a token in and are left out"
    assert says in long


def test_a_dataset_is_opened_with_its_packing(tmp_path):
    lengths = {"a": [5, 40, 3], "b": [9, 20]}
    dataset = write_dataset(tmp_path, lengths, {"a": [4]}, Packing("best_fit", attend_across_documents=False))
    split = dataset.splits["train"]
    rows = split.rows(LENGTH, lookahead=1)
    assert rows is split.rows(LENGTH, lookahead=1)
    assert rows.source_rows == (3, 2)  # 16, 16 and 4 + 7 + 2 to read of a; 16 and 8 + 3 of b
    (row,) = RowReader(split, rows).rows(rows.num_rows - 1, 1)
    assert [array.tolist() for array in row.arrays] == arrays_of(rows, rows.num_rows - 1)
    assert dataset.splits["validation"].rows(LENGTH, lookahead=1).source_rows == (1, 0)


def test_what_makes_no_difference_is_not_in_the_packing():
    def packing(**fields):
        return Packing.of(DataSection(sources=(Text(path="x.txt"),), **fields))

    assert packing(long_documents="drop") == packing() == Packing()
    assert packing(packing="document", attend_across_documents=False) == Packing("document")
    assert packing(packing="best_fit", long_documents="drop") == Packing("best_fit", "drop")
