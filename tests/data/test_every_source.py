"""What holds for every kind of source: the same documents, however they are stored."""

import gzip
import hashlib
import json
import shutil
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from raylm.config import BadInput
from raylm.data import files
from raylm.data.sources import Document, Source
from raylm.recipe import Recipe

TEXTS = ["First, naïve.", 'A "quoted"\nsecond line, שלום', "🙂 你好", "", "x" * 5000]


def jsonl(texts):
    return "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts)).encode()


def json_list(texts):
    return json.dumps([{"id": n, "text": text} for n, text in enumerate(texts)], indent=1).encode()


def csv(texts, delimiter=","):
    rows = [f'{n}{delimiter}"' + text.replace('"', '""') + '"\r\n' for n, text in enumerate(texts)]
    return f"id{delimiter}text\r\n{''.join(rows)}".encode()


def tsv(texts):
    return csv(texts, "\t")


def parquet(texts):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": range(len(texts)), "text": texts}), sink, row_group_size=2)
    return sink.getvalue().to_pybytes()


FILES = {
    "x.jsonl": ("jsonl", jsonl),
    "x.json": ("jsonl", json_list),
    "x.csv": ("csv", csv),
    "x.tsv": ("csv", tsv),
    "x.parquet": ("parquet", parquet),
}
PLAIN = list(FILES)
PACKED = [name + ending for name in PLAIN if name != "x.parquet" for ending in (".gz", ".zst")]


def source_of(kind, path, **settings):
    return Source.model_validate({"kind": kind, "path": str(path), **settings})


def documents(source):
    return [row for item in source.inputs() for row in source.read(item)]


def texts_of(source):
    found = documents(source)
    assert all(isinstance(row, Document) for row in found)
    return [row.text for row in found]


def digests(source):
    return [source.digest(item, lambda _: None) for item in source.inputs()]


def content_of(name, texts=TEXTS):
    base, ending = (name, "") if name in FILES else name.rsplit(".", 1)
    content = FILES[base][1](texts)
    if ending == "gz":
        return gzip.compress(content)
    return pa.compress(content, codec="zstd", asbytes=True) if ending == "zst" else content


def kind_of(name):
    return FILES[name.removesuffix(".gz").removesuffix(".zst")][0]


@pytest.mark.parametrize("name", PLAIN + PACKED)
def test_every_format_gives_the_same_documents(tmp_path, name):
    (tmp_path / name).write_bytes(content_of(name))
    found = documents(source_of(kind_of(name), tmp_path / name))
    assert [document.text for document in found] == TEXTS
    assert all(document.origin.startswith(f"{tmp_path / name}:") for document in found)


@pytest.mark.parametrize("block_bytes", [1, 5, 64])
@pytest.mark.parametrize("name", PLAIN)
def test_documents_do_not_depend_on_the_size_of_the_blocks_read(tmp_path, monkeypatch, name, block_bytes):
    (tmp_path / name).write_bytes(content_of(name))
    whole = documents(source_of(kind_of(name), tmp_path / name))
    monkeypatch.setattr(files, "BLOCK_BYTES", block_bytes)
    assert documents(source_of(kind_of(name), tmp_path / name)) == whole


def test_a_documents_place_is_its_first_line_or_its_row(tmp_path):
    for name in PLAIN:
        (tmp_path / name).write_bytes(content_of(name))
    lines = {
        name: [
            int(row.origin.rpartition(":")[2]) for row in documents(source_of(kind_of(name), tmp_path / name))
        ]
        for name in PLAIN
    }
    assert lines["x.jsonl"] == lines["x.parquet"] == [1, 2, 3, 4, 5]
    assert lines["x.csv"] == lines["x.tsv"] == [2, 3, 5, 6, 7]  # the second text has a line end in it
    assert lines["x.json"] == [2, 6, 10, 14, 18]


@pytest.mark.parametrize("name", [*PLAIN, "x.jsonl.gz", "x.csv.zst"])
def test_an_object_store_gives_the_same_documents(tmp_path, name):
    store = fsspec.filesystem("memory")
    store.pipe_file(f"/every/{tmp_path.name}/b/{name}", content_of(name))
    store.pipe_file(f"/every/{tmp_path.name}/a/{name}", content_of(name, ["before"]))
    source = source_of(kind_of(name), f"memory://every/{tmp_path.name}/*/{name}")
    assert texts_of(source) == ["before", *TEXTS]
    assert [item.num_bytes for item in source.inputs()] == [
        len(content_of(name, t)) for t in (["before"], TEXTS)
    ]
    (tmp_path / name).write_bytes(content_of(name))
    assert digests(source)[1:] == digests(source_of(kind_of(name), tmp_path / name))


def test_what_is_missing_in_an_object_store_is_named(tmp_path):
    fsspec.filesystem("memory").pipe_file("/missing/train.jsonl", b"{}")

    def problem(path, kind="jsonl"):
        with pytest.raises(BadInput) as caught:
            source_of(kind, path).inputs()
        return str(caught.value)

    address = "memory://missing/trian.jsonl"
    assert problem(address) == f"path: {address} does not exist; near it: train.jsonl"
    assert "matches no file" in problem("memory://missing/*.csv")
    assert "is a folder" in problem("memory://missing")
    assert "nosuch://x/y: " in problem("nosuch://x/y")
    assert "holds no file" in problem("memory://nowhere", "folder")


def test_a_folder_gives_its_files_in_order_and_no_hidden_ones(tmp_path):
    names = ["a.txt", "b/c.md", "b/d.txt.gz", "b/.hidden.txt", ".git/x.txt", "e.txt"]
    store = fsspec.filesystem("memory")
    for name in names:
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(name.encode()) if name.endswith(".gz") else name.encode())
        store.pipe_file(f"/{tmp_path.name}/docs/{name}", path.read_bytes())
    (tmp_path / "docs/b/up").symlink_to(tmp_path / "docs")
    expected = ["a.txt", "b/c.md", "b/d.txt.gz", "e.txt"]
    for folder in (tmp_path / "docs", f"memory://{tmp_path.name}/docs"):
        assert texts_of(source_of("folder", folder)) == expected
        assert texts_of(source_of("folder", folder, suffixes=["txt"])) == [expected[i] for i in (0, 2, 3)]
    assert source_of("folder", f"{tmp_path}/docs/").label() == "docs"


def test_every_kind_that_ships_is_covered_here():
    shipped = {
        kind for kind, found in Source.kinds.items() if found.__module__.startswith("raylm.data.sources.")
    }
    assert shipped == {kind for kind, _ in FILES.values()} | {"text", "folder", "dataset"}


@pytest.mark.parametrize("name", PLAIN)
def test_a_digest_follows_the_content_and_not_the_place(tmp_path, name):
    for folder, texts in (("one", TEXTS), ("two", TEXTS), ("other", [*TEXTS[:-1], "y"])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(content_of(name, texts))
    sources = [source_of(kind_of(name), tmp_path / folder / name) for folder in ("one", "two", "other")]
    one, two, other = map(digests, sources)
    assert one == two != other
    assert sources[0].settings() == sources[1].settings()
    read = []
    sources[0].digest(sources[0].inputs()[0], read.append)
    assert sum(read) == (tmp_path / "one" / name).stat().st_size


def test_the_name_of_a_table_counts_where_it_decides_the_delimiter(tmp_path):
    for name in ("x.csv", "x.tsv"):
        (tmp_path / name).write_bytes(b"text,a\tb\n1,2\t3\n")
    given = [{"columns": ["text"], "quote": "", "delimiter": delimiter} for delimiter in ("", ";")]
    auto, fixed = ([digests(source_of("csv", tmp_path / name, **settings)) for name in ("x.csv", "x.tsv")]
                   for settings in given)  # fmt: skip
    assert auto[0] != auto[1]
    assert fixed[0] == fixed[1]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Q: {question}\nA: {answers.text.0}", "Q: why?\nA: because"),
        ("{{{n}}} {a.b}", "{3} dotted"),
        ("{yes} {half}", "True 0.5"),
    ],
)
def test_a_template_puts_fields_together(tmp_path, template, text):
    row = {
        "question": "why?",
        "answers": {"text": ["because"]},
        "n": 3,
        "a.b": "dotted",
        "yes": True,
        "half": 0.5,
    }
    (tmp_path / "x.jsonl").write_text(json.dumps(row))
    assert texts_of(source_of("jsonl", tmp_path / "x.jsonl", template=template)) == [text]


def test_a_template_reads_parquet_and_csv_too(tmp_path):
    for name in ("x.parquet", "x.csv"):
        (tmp_path / name).write_bytes(content_of(name, ["a", "b"]))
        found = texts_of(source_of(kind_of(name), tmp_path / name, template="{id}: {text}"))
        assert found == ["0: a", "1: b"]
    nested = pa.table({"answers": [{"text": ["x", "y"]}], "unread": [1]})
    pq.write_table(nested, tmp_path / "n.parquet")
    assert texts_of(source_of("parquet", tmp_path / "n.parquet", text_field="answers.text.1")) == ["y"]


@pytest.mark.parametrize(
    "settings",
    [
        {"template": "no field"},
        {"template": "{text!r}"},
        {"template": "{text:>5}"},
        {"template": "{}"},
        {"template": "{text"},
        {"template": "{text}", "text_field": "text"},
    ],
)
def test_a_template_that_cannot_work_is_refused(settings):
    with pytest.raises(ValidationError):
        source_of("jsonl", "x.jsonl", **settings)


def test_a_template_reaches_fields_and_nothing_else(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"text": "a"}')
    source = source_of("jsonl", tmp_path / "x.jsonl", template="{text.__class__}", on_bad_row="skip")
    assert documents(source)[0].message == "text.__class__ is missing"


def test_a_table_without_a_header_gets_its_columns_named(tmp_path):
    (tmp_path / "x.csv").write_text('a;"b"\nc;d "e\n')
    settings = {"columns": ["x", "text"], "delimiter": ";", "quote": ""}
    assert texts_of(source_of("csv", tmp_path / "x.csv", **settings)) == ['"b"', 'd "e']


def test_other_encodings_are_read_by_line(tmp_path):
    for encoding in ("latin-1", "utf-16", "cp1252"):
        (tmp_path / "x.jsonl").write_bytes('{"text": "Straße"}\n{"text": "é"}\n'.encode(encoding))
        source = source_of("jsonl", tmp_path / "x.jsonl", encoding=encoding)
        assert [row.text for row in documents(source)] == ["Straße", "é"]


@pytest.mark.parametrize(
    ("kind", "path", "label"),
    [
        ("text", "/c/books/*.txt", "books"),
        ("text", "/c/wiki.txt.gz", "wiki"),
        ("jsonl", "s3://bucket/part/web.jsonl.zst", "web"),
        ("dataset", "rajpurkar/squad", "squad"),
        ("text", "*", "text"),
    ],
)
def test_a_source_without_a_name_is_called_after_its_files(kind, path, label):
    assert source_of(kind, path).label() == label


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
    assert texts_of(source_of("dataset", home / "d")) == TEXTS
    assert texts_of(source_of("dataset", home / "d", split_name="test", template="{id} {text}")) == [
        f"0 {TEXTS[0]}"
    ]
    shutil.copytree(home / "d", home / "copy")
    assert digests(source_of("dataset", home / "d")) == digests(source_of("dataset", home / "copy"))
    saved(home / "other", ["y"])
    assert digests(source_of("dataset", home / "d")) != digests(source_of("dataset", home / "other"))


@pytest.mark.parametrize("streaming", [False, True])
def test_a_dataset_reads_a_folder_of_data_files(home, streaming):
    (home / "d").mkdir()
    (home / "d/train.jsonl").write_bytes(jsonl(TEXTS))
    (home / "d/test.jsonl").write_bytes(jsonl(["only"]))
    source = source_of("dataset", home / "d", streaming=streaming)
    assert texts_of(source) == TEXTS
    assert source.settings() == source_of("dataset", home / "d").settings()
    assert texts_of(source_of("dataset", home / "d", split_name="test", streaming=streaming)) == ["only"]


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
        documents(source_of("dataset", "d", **settings))
    assert str(caught.value) == problem


def test_a_saved_dataset_names_its_splits(home, monkeypatch):
    monkeypatch.chdir(home)
    saved("d")
    with pytest.raises(BadInput, match=r"split_name: no 'validation'; splits are train, test"):
        documents(source_of("dataset", "d", split_name="validation"))


def test_a_name_on_the_hub_without_a_connection_is_one_clear_error(home, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    source = source_of("dataset", "raylm-tests/not-there")
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
        source_of("dataset", tmp_path / "squid").inputs()


def test_a_recipe_keeps_a_name_on_the_hub_and_finds_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    example = Recipe.load(Path(__file__).parents[2] / "examples/shakespeare_char.yaml").model_dump(
        mode="json"
    )
    for path, expected in (("owner/name", "owner/name"), ("here", str(tmp_path / "here"))):
        values = example | {"data": {"sources": [{"kind": "dataset", "path": path}]}}
        assert Recipe.from_values(values).data.sources[0].path == expected


def test_a_files_digest_is_the_sha256_of_its_bytes(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(jsonl(TEXTS))
    source = source_of("jsonl", tmp_path / "x.jsonl")
    assert digests(source) == [hashlib.sha256(jsonl(TEXTS)).hexdigest()]
