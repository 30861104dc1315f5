import uuid

import pytest

from raylm.config import BadInput, RunFailed
from raylm.data.fetch import default_cache_path, fetch
from raylm.data.prepare import prepare
from raylm.data.shards import Dataset
from raylm.data.tokenizers.character import Character
from raylm.runs.folder import Folder


@pytest.fixture
def remote(section):
    return prepare(section, Character(), f"memory://{uuid.uuid4().hex}")


def test_a_local_dataset_is_used_where_it_lies(section, tmp_path):
    made = prepare(section, Character(), str(tmp_path / "storage"))
    assert str(fetch(made.uri, tmp_path / "cache")) == made.uri
    assert not (tmp_path / "cache").exists()


def test_a_remote_dataset_is_copied_once(remote, tmp_path):
    path = fetch(remote.uri, tmp_path / "cache")
    assert Dataset.open(path).index == remote.index
    Folder.open(remote.uri).write("train/tokens-00000.bin", b"changed since")
    marked = path / "train" / "tokens-00000.bin"
    before = marked.stat().st_ino
    assert fetch(remote.uri, tmp_path / "cache") == path
    assert marked.stat().st_ino == before


def test_the_copy_lies_in_the_persons_cache_when_no_place_is_given(remote):
    assert fetch(remote.uri) == default_cache_path() / remote.digest


def test_a_copy_that_was_cut_off_is_made_again(remote, tmp_path):
    path = fetch(remote.uri, tmp_path)
    (path / "validation" / "tokens-00000.bin").unlink()
    Dataset.open(fetch(remote.uri, tmp_path))


def test_a_file_that_arrives_damaged_is_named_and_nothing_is_kept(remote, tmp_path):
    folder = Folder.open(remote.uri)
    data = bytearray(folder.read("train/tokens-00000.bin"))
    data[100] ^= 1
    folder.write("train/tokens-00000.bin", bytes(data))
    with pytest.raises(RunFailed, match=r"train/tokens-00000\.bin is damaged"):
        fetch(remote.uri, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".lock-")] == ["corpus.txt"]


def test_a_place_without_a_dataset_is_named(tmp_path):
    with pytest.raises(BadInput, match="holds no prepared dataset"):
        fetch(f"memory://{uuid.uuid4().hex}", tmp_path)
