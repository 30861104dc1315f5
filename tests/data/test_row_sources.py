import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from raylm.config.choice import discover
from raylm.data.sources import Source

discover("raylm.data.sources")


def source_of(kind, path, **settings):
    return Source.model_validate({"kind": kind, "path": str(path), **settings})


def documents(source):
    return [row for item in source.inputs() for row in source.read(item)]


def texts_of(source):
    return [row.text for row in documents(source)]


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
    (tmp_path / "x.csv").write_text("id,text\n0,a\n1,b\n")
    pq.write_table(pa.table({"id": [0, 1], "text": ["a", "b"]}), tmp_path / "x.parquet")
    for kind in ("csv", "parquet"):
        found = texts_of(source_of(kind, tmp_path / f"x.{kind}", template="{id}: {text}"))
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
