import json
import shutil
from pathlib import Path

import pytest

from raylm.config import BadInput
from raylm.data.sources import Source
from raylm.recipe import Recipe

TEXTS = ["First, naïve.", "second\nline, שלום", "🙂 你好", "", "x" * 5000]


def dataset(path, **settings):
    return Source.model_validate({"kind": "dataset", "path": str(path), **settings})


def documents(source):
    return [row for item in source.inputs() for row in source.read(item)]


def texts_of(source):
    return [row.text for row in documents(source)]


def digests(source):
    return [source.digest(item, lambda _: None) for item in source.inputs()]


def jsonl(texts):
    return "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts)).encode()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A cache of the datasets library that is this test's own."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return tmp_path


def saved(folder, texts=TEXTS):
    import datasets

    table = datasets.Dataset.from_dict({"id": list(range(len(texts))), "text": list(texts)})
    datasets.DatasetDict({"train": table, "test": table.select([0])}).save_to_disk(str(folder))


def test_a_dataset_reads_what_save_to_disk_wrote(home):
    saved(home / "d")
    assert texts_of(dataset(home / "d")) == TEXTS
    assert texts_of(dataset(home / "d", split_name="test", template="{id} {text}")) == [f"0 {TEXTS[0]}"]
    shutil.copytree(home / "d", home / "copy")
    assert digests(dataset(home / "d")) == digests(dataset(home / "copy"))
    saved(home / "other", ["y"])
    assert digests(dataset(home / "d")) != digests(dataset(home / "other"))


@pytest.mark.parametrize("streaming", [False, True])
def test_a_dataset_reads_a_folder_of_data_files(home, streaming):
    (home / "d").mkdir()
    (home / "d/train.jsonl").write_bytes(jsonl(TEXTS))
    (home / "d/test.jsonl").write_bytes(jsonl(["only"]))
    source = dataset(home / "d", streaming=streaming)
    assert texts_of(source) == TEXTS
    assert source.settings() == dataset(home / "d").settings()
    assert texts_of(dataset(home / "d", split_name="test", streaming=streaming)) == ["only"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"split_name": "trian"}, "split_name: no 'trian'; splits are train, test; did you mean train?"),
        ({"config": "big"}, "config: no 'big'; configurations are default"),
        ({"text_field": "txt"}, "text_field (d): no 'txt'; columns are id, text; did you mean text?"),
    ],
)
def test_what_a_dataset_does_not_have_is_named(home, monkeypatch, settings, problem):
    monkeypatch.chdir(home)
    for name in ("train", "test"):
        Path("d").mkdir(exist_ok=True)
        Path(f"d/{name}.jsonl").write_bytes(jsonl(TEXTS))
    with pytest.raises(BadInput) as caught:
        documents(dataset("d", **settings))
    assert str(caught.value) == problem


def test_a_saved_dataset_names_its_splits(home, monkeypatch):
    monkeypatch.chdir(home)
    saved("d")
    with pytest.raises(BadInput, match=r"split_name: no 'validation'; splits are train, test"):
        documents(dataset("d", split_name="validation"))


def test_a_name_on_the_hub_without_a_connection_is_one_clear_error(home, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    source = dataset("raylm-tests/not-there")
    (item,) = source.inputs()
    assert item == ("raylm-tests/not-there:train", 0)
    with pytest.raises(BadInput) as caught:
        source.digest(item, lambda _: None)
    (problem,) = caught.value.problems
    assert problem.field == "path"
    assert "is no folder here, and the hub cannot be reached" in problem.message
    assert "HF_HUB_OFFLINE" in problem.mend


def test_a_folder_that_is_missing_is_no_name_on_the_hub(tmp_path):
    (tmp_path / "squad").mkdir()
    with pytest.raises(BadInput, match=r"squid does not exist; near it: squad"):
        dataset(tmp_path / "squid").inputs()


def test_a_recipe_keeps_a_name_on_the_hub_and_finds_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    example = Recipe.load(Path(__file__).parents[2] / "examples/shakespeare_char.yaml").model_dump(
        mode="json"
    )
    for path, expected in (("owner/name", "owner/name"), ("here", str(tmp_path / "here"))):
        values = example | {"data": {"sources": [{"kind": "dataset", "path": path}]}}
        assert Recipe.from_values(values).data.sources[0].path == expected
