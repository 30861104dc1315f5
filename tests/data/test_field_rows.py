"""Rows of named fields: what each ending means, and what is said of a row that is none."""

import json

import pytest

from raylm.config import BadInput
from raylm.data.field_rows import field_rows
from raylm.data.file_source import TextFileSource
from raylm.data.records import TemplateText


def rows_of(path, **fields):
    return field_rows(TextFileSource(path=str(path), **fields))


ROWS = [{"a": "x", "b": "1"}, {"a": "y, z", "b": "2"}]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.jsonl", "\n".join(map(json.dumps, ROWS)) + "\n\n"),
        ("rows.ndjson", "\n".join(map(json.dumps, ROWS))),
        ("rows.json", json.dumps(ROWS)),
        ("rows.csv", 'a,b\nx,1\n"y, z",2\n'),
        ("rows.tsv", "a\tb\nx\t1\ny, z\t2\n"),
    ],
)
def test_every_kind_of_file_gives_the_same_rows(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    rows = rows_of(tmp_path / name)
    assert [row.values for row in rows] == ROWS
    assert {row.file for row in rows} == {"rows"}
    assert rows[0].origin.startswith(f"{tmp_path / name}:")


def test_lines_of_text_are_rows_and_blank_ones_are_not(tmp_path):
    (tmp_path / "a.b.txt").write_bytes("caf\xe9 \n\n two\n".encode("latin-1"))
    rows = rows_of(tmp_path / "a.b.txt", encoding="latin-1")
    assert [(row.values["text"], row.origin[-2:], row.file) for row in rows] == [
        ("café", ":1", "a.b"),
        ("two", ":3", "a.b"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rows.jsonl", '{"a": 1}\n[1]\n', "rows.jsonl:2.*want an object, got list"),
        ("rows.jsonl", '{"a": 1}\n\n{"a"\n', "rows.jsonl:3.*not JSON"),
        ("rows.json", '[{"a": 1},\n 2]', "rows.json:2.*want an object"),
        ("rows.csv", "a,b\n1,2\n3\n", "rows.csv:3.*1 fields, header has 2"),
        ("rows.csv", 'a,b\n1,"2\n', "rows.csv:2.*not CSV"),
        ("rows.jsonl", "\n", "no rows in"),
    ],
)
def test_what_is_no_row_is_refused_with_its_place(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=message):
        rows_of(tmp_path / name)


def test_a_field_is_found_inside_others_and_missed_by_name(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"answers": {"text": ["yes"]}, "n": 3}\n')
    [row] = rows_of(tmp_path / "rows.jsonl")
    assert row.text("answers.text.0", "field") == "yes"
    assert row.value("n", "field") == 3
    assert row.filled(TemplateText("{n}: {answers.text.0}"), "context") == "3: yes"
    with pytest.raises(BadInput, match=r"good_field \(.*rows.jsonl:1\): no 'answer'.*did you mean answers"):
        row.text("answer", "good_field")
    with pytest.raises(BadInput, match="want text, got whole number"):
        row.text("n", "good_field")
