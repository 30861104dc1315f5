"""Lengths in tokens are counted over the columns of offsets, files and chunks notwithstanding."""

from collections import Counter

from raylm.data import lengths
from raylm.data.lengths import token_lengths
from raylm.data.tally import length_bucket
from tests.data.small_dataset import write_dataset

SIZES = [1, 2, 3, 4, 7, 8, 1023, 1024, 1025]


def test_each_document_falls_into_the_bucket_of_its_length(tmp_path, monkeypatch):
    monkeypatch.setattr(lengths, "_CHUNK", 4)
    dataset = write_dataset(tmp_path, {"a": SIZES, "b": [5]}, {"a": [16, 17]})
    found = token_lengths(dataset.splits.values())
    assert found == Counter(length_bucket(size) for size in [*SIZES, 5, 16, 17])


def test_nothing_has_no_lengths(tmp_path):
    assert token_lengths(write_dataset(tmp_path, {"a": []}, {}).splits.values()) == Counter()
