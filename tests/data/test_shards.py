import numpy as np
import pytest

from raylm.config import BadInput
from raylm.data.index import Index
from raylm.data.prepare import prepare
from raylm.data.shards import Column, Dataset
from raylm.data.tokenizers.character import Character
from raylm.data.writer import ColumnWriter, SplitWriter
from raylm.runs.folder import Folder

UINT16 = np.dtype("<u2")


@pytest.mark.parametrize("file_items", [1, 7, 10, 1000])
def test_a_column_reads_the_same_however_it_is_cut_into_files(tmp_path, file_items):
    values = np.arange(1000, 1100)
    writer = ColumnWriter(Folder.open(tmp_path), "tokens", UINT16, file_items)
    for part in np.split(values, [3, 3, 50]):
        writer.append(part)
    stored = writer.close()
    assert len(stored) == -(-100 // file_items)
    column = Column([tmp_path / file.name for file in stored], UINT16)
    assert len(column) == 100
    for start in range(0, 101, 3):
        for stop in range(start, 101, 5):
            read = column.read(start, stop)
            assert read.dtype == UINT16
            assert read.tolist() == values[start:stop].tolist()


def test_a_column_refuses_to_read_outside_itself(tmp_path):
    writer = ColumnWriter(Folder.open(tmp_path), "tokens", UINT16)
    writer.append(np.arange(5))
    column = Column([tmp_path / file.name for file in writer.close()], UINT16)
    for start, stop in ((-1, 2), (3, 6), (4, 3)):
        with pytest.raises(AssertionError, match="outside a column of 5"):
            column.read(start, stop)


def test_a_column_without_values_is_empty(tmp_path):
    assert ColumnWriter(Folder.open(tmp_path), "tokens", UINT16).close() == ()
    assert Column([], UINT16).read(0, 0).dtype == UINT16


def test_documents_keep_their_ends_sentences_and_sources(tmp_path):
    with SplitWriter(Folder.open(tmp_path), "train", UINT16) as writer:
        writer.add(np.array([1, 2, 3, 9, 9]), np.array([4, 1]), 0, 3, np.array([1, 3, 1]))
        writer.add(np.array([], dtype=np.int64), np.array([], dtype=np.int64), source=1, num_bytes=0)
        writer.add(np.array([4]), np.array([1]), source=2, num_bytes=4)
        index = writer.close()
    assert (index.num_tokens, index.num_documents, index.num_bytes) == (6, 3, 7)
    assert index.num_sentences == 4  # a document whose sentences are not told is one
    stored = {name: (tmp_path / files[0].name).read_bytes() for name, files in index.columns.items()}
    assert np.frombuffer(stored["tokens"], "<u2").tolist() == [1, 2, 3, 9, 9, 4]
    assert np.frombuffer(stored["documents"], "<i8").tolist() == [0, 4, 5, 6]
    assert np.frombuffer(stored["sentences"], "<i8").tolist() == [0, 1, 4, 5, 6]
    assert np.frombuffer(stored["sources"], "<u2").tolist() == [0, 0, 2]


def test_what_is_read_cannot_be_written_to(section, tmp_path):
    dataset = Dataset.open(prepare(section, Character(), str(tmp_path / "storage")).uri)
    tokens = dataset.splits["train"].read("tokens", 0, 5)
    with pytest.raises(ValueError, match="read-only"):
        tokens[0] = 1


def test_a_folder_without_a_dataset_is_named(tmp_path):
    with pytest.raises(BadInput, match=f"{tmp_path} holds no prepared dataset"):
        Dataset.open(tmp_path)


def test_every_changed_byte_of_an_index_is_noticed(section, tmp_path):
    uri = prepare(section, Character(), str(tmp_path / "storage")).uri
    folder = Folder.open(uri)
    good = folder.read("index.json")
    for position in range(0, len(good), 13):
        bad = bytearray(good)
        bad[position] ^= 1
        folder.write("index.json", bytes(bad))
        try:
            assert Index.read(folder).to_bytes() == good  # a changed blank between two values changes nothing
        except BadInput as error:
            assert error.problems[0].code in ("damaged", "newer-format")  # noqa: PT017


@pytest.mark.parametrize("length", [0, 1, 100])
def test_an_index_cut_off_is_noticed(section, tmp_path, length):
    folder = Folder.open(prepare(section, Character(), str(tmp_path / "storage")).uri)
    folder.write("index.json", folder.read("index.json")[:length])
    with pytest.raises(BadInput, match="is damaged"):
        Dataset.open(folder.local_path())


def test_a_missing_or_shortened_file_is_named(section, tmp_path):
    uri = prepare(section, Character(), str(tmp_path / "storage")).uri
    path = Folder.open(uri).local_path("train/tokens-00000.bin")
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(BadInput, match=r"train/tokens-00000\.bin is missing or cut off"):
        Dataset.open(uri)
    path.unlink()
    with pytest.raises(BadInput, match=r"train/tokens-00000\.bin is missing or cut off"):
        Dataset.open(uri)
