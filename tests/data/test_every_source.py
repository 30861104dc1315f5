"""What holds for every kind of source: the same documents, however they are stored."""

import gzip
import hashlib
import json
from types import SimpleNamespace

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raylm.config import BadInput
from raylm.config.choice import discover
from raylm.data import files
from raylm.data.sources import Document, Source

discover("raylm.data.sources")

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


@pytest.mark.parametrize("name", PLAIN + PACKED)
def test_every_format_gives_a_task_the_same_records(tmp_path, name):
    (tmp_path / name).write_bytes(content_of(name))
    source = source_of(kind_of(name), tmp_path / name, text_field="unused")
    task = SimpleNamespace(
        split_fields=(),
        field_names=lambda: ("text", "id"),
        record=lambda values: {"t": values["text"]},
        texts=lambda record: (record["t"],),
    )
    found = [row for item in source.inputs() for row in source.records(item, task)]
    assert [json.loads(document.record) for document in found] == [{"t": text} for text in TEXTS]
    plain = documents(source_of(kind_of(name), tmp_path / name))
    assert [document[:2] for document in found] == [document[:2] for document in plain]


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
    by_form = {"parallel", "conll", "squad"}  # each has a file of its own here
    assert shipped == {kind for kind, _ in FILES.values()} | {"text", "folder", "dataset"} | by_form


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
        ("text", "*", "files"),
    ],
)
def test_a_source_without_a_name_is_called_after_its_files(kind, path, label):
    assert source_of(kind, path).label() == label


def test_a_files_digest_is_the_sha256_of_its_bytes(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(jsonl(TEXTS))
    source = source_of("jsonl", tmp_path / "x.jsonl")
    assert digests(source) == [hashlib.sha256(jsonl(TEXTS)).hexdigest()]
