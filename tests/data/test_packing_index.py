"""A packing that is kept beside a large dataset is the one that would be made."""

import numpy as np
import pytest

from raylm.data import shards
from raylm.data.packing import Packing
from raylm.data.packing_index import FOLDER
from raylm.data.shards import Dataset
from tests.data.small_dataset import write_dataset

LENGTHS = {"a": [5, 40, 1, 17, 3, 16, 2], "b": [9, 20]}
PACKINGS = [Packing("best_fit"), Packing("best_fit", "drop"), Packing("document")]


@pytest.fixture(autouse=True)
def kept_for_every_dataset(monkeypatch):
    monkeypatch.setattr(shards, "_KEPT_FROM", 0)


def rows_of(path, packing, length=16):
    rows = Dataset.open(path, packing).splits["train"].rows(length, lookahead=1)
    spans = [rows.spans(row) for row in range(rows.num_rows)]
    return spans, rows.source_rows, rows.notes, rows.num_inputs(np.arange(rows.num_rows))


@pytest.mark.parametrize("packing", PACKINGS, ids=str)
def test_the_second_who_opens_a_dataset_gets_the_same_rows(tmp_path, packing, monkeypatch):
    write_dataset(tmp_path, LENGTHS, {}, packing)
    first = rows_of(tmp_path, packing)
    assert len(list((tmp_path / FOLDER).iterdir())) == 1
    monkeypatch.setattr(shards, "pack_pieces", lambda *_: pytest.fail("it was made again"))
    assert rows_of(tmp_path, packing) == first


def test_each_length_and_policy_has_its_own(tmp_path):
    write_dataset(tmp_path, LENGTHS, {})
    made = [rows_of(tmp_path, packing, length) for packing in PACKINGS for length in (8, 16)]
    assert len(list((tmp_path / FOLDER).iterdir())) == 6
    assert [rows_of(tmp_path, packing, length) for packing in PACKINGS for length in (8, 16)] == made


@pytest.mark.parametrize("name", ["starts.npy", "first_pieces.npy", "rows.json"])
@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
def test_a_damaged_one_is_made_again(tmp_path, name, damage):
    write_dataset(tmp_path, LENGTHS, {})
    first = rows_of(tmp_path, PACKINGS[0])
    (path,) = (tmp_path / FOLDER).glob(f"*/{name}")
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-9] if damage == "cut" else data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
    assert rows_of(tmp_path, PACKINGS[0]) == first
    assert path.read_bytes() == data


def test_a_dataset_that_cannot_be_written_to_is_packed_all_the_same(tmp_path):
    write_dataset(tmp_path, LENGTHS, {})
    (tmp_path / FOLDER).write_text("in the way")
    assert rows_of(tmp_path, PACKINGS[0])[1] == (6, 2)
