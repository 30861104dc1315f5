"""Rows as tasks read them: each row's record as canonical JSON, wherever the rows lie."""

import json
from types import SimpleNamespace

import pytest

from raylm.config import BadInput
from raylm.config.choice import discover
from raylm.data.records import FieldText, NoTextError, look_up
from raylm.data.sources import BadRow, Document, Source

discover("raylm.data.sources")


class LabelTask(SimpleNamespace):
    """A stand-in for a task: a text and its label."""

    split_fields = ()

    def field_names(self):
        return ("text", self.label)

    def record(self, values):
        text = FieldText("text").of(values)
        label = look_up(values, self.label, was_seen=False)
        if label is None:
            raise NoTextError(f"{self.label} is null", code="null", name=self.label)
        if text == "wrong":
            raise NoTextError("text: that is wrong", "write it right", name="text")
        return {"text": text, "label": label}

    def texts(self, record):
        return (record["text"], "read")


def records_of(kind, path, label="label", **settings):
    source = Source.model_validate({"kind": kind, "path": str(path), **settings})
    return [row for item in source.inputs() for row in source.records(item, LabelTask(label=label))]


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_document_is_a_rows_texts_its_place_and_its_record_as_canonical_json(tmp_path):
    write(tmp_path / "x.jsonl", {"text": "é", "label": {"b": 1, "a": [2]}, "unread": 0})
    assert records_of("jsonl", tmp_path / "x.jsonl") == [
        Document("é\nread", f"{tmp_path / 'x.jsonl'}:1", '{"label":{"a":[2],"b":1},"text":"é"}')
    ]


def test_a_text_files_name_is_a_field(tmp_path):
    for name in ("pos", "neg"):
        (tmp_path / f"{name}.txt").write_text(f"so {name}\n\nvery {name}\n")
    expected = [(f"so {name}", name) for name in ("neg", "pos")] + [
        (f"very {name}", name) for name in ("neg", "pos")
    ]
    rows = records_of("text", tmp_path / "*.txt", label="file", by="paragraph")
    assert sorted((r["text"], r["label"]) for r in (json.loads(row.record) for row in rows)) == expected
    whole = [json.loads(row.record) for row in records_of("folder", tmp_path, label="file")]
    assert [record["label"] for record in whole] == ["neg", "pos"]
    assert whole[0]["text"] == "so neg\n\nvery neg\n"


def test_blank_lines_of_a_text_stay_blank_documents(tmp_path):
    (tmp_path / "x.txt").write_text("a\n\nb\n")
    rows = records_of("text", tmp_path / "x.txt", label="file", by="line")
    assert [bool(row.text) for row in rows] == [True, False, True]
    assert rows[2].origin == f"{tmp_path / 'x.txt'}:3"


@pytest.mark.parametrize("kind", ["text", "folder"])
def test_a_text_has_no_other_fields(tmp_path, kind):
    (tmp_path / "x.txt").write_text("a")
    with pytest.raises(BadInput, match="no 'label'; columns are text, file"):
        records_of(kind, tmp_path if kind == "folder" else tmp_path / "x.txt")


def test_a_table_must_have_the_columns_of_the_task(tmp_path):
    (tmp_path / "x.csv").write_text("text,lable\na,b\n")
    with pytest.raises(BadInput) as caught:
        records_of("csv", tmp_path / "x.csv")
    assert str(caught.value) == (
        f"path ({tmp_path / 'x.csv'}:1): no 'label'; columns are text, lable; did you mean lable?"
    )


def test_the_text_field_of_a_source_does_not_count(tmp_path):
    write(tmp_path / "x.jsonl", {"text": "a", "label": "b"})
    for settings in ({"text_field": "nowhere"}, {"template": "{nowhere}"}):
        (row,) = records_of("jsonl", tmp_path / "x.jsonl", **settings)
        assert json.loads(row.record) == {"text": "a", "label": "b"}


def test_the_first_bad_row_says_how_many_more_there_are(tmp_path):
    good, bad = {"text": "a", "label": "b"}, {"text": "a", "label": None}
    write(tmp_path / "x.jsonl", good, bad, good, bad)
    path = f"{tmp_path / 'x.jsonl'}"
    rows = records_of("jsonl", path)
    assert rows[1:] == [BadRow(f"{path}:2", "path", "label is null (2 of 4 rows)", "", "null")]
    skipped = records_of("jsonl", path, on_bad_row="skip")
    assert [type(row) for row in skipped] == [Document, BadRow, Document, BadRow]


def test_what_a_task_says_of_a_row_and_its_mend_are_kept(tmp_path):
    write(tmp_path / "x.jsonl", {"text": "wrong", "label": "b"})
    (row,) = records_of("jsonl", tmp_path / "x.jsonl")
    assert (row.field, row.message) == ("path", "text: that is wrong (1 of 1 rows)")
    assert row.mend == "write it right"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ((1, "pos"), "label: number in 1 row, text in 1 row (first at line 2)"),
        (("a", "b", True, "c", 2), "label: text in 3 rows, true or false in 1 row, number in 1 row"),
    ],
)
def test_a_label_that_changes_its_type_is_refused(tmp_path, labels, message):
    write(tmp_path / "x.jsonl", *({"text": "a", "label": label} for label in labels))
    rows = records_of("jsonl", tmp_path / "x.jsonl")
    assert rows[-1].message.startswith(message)
    assert rows[-1].code == "types"


def test_whole_numbers_and_others_lists_and_objects_may_stand_in_one_field(tmp_path):
    labels = (1, 2.5, [], {"a": 1})
    write(tmp_path / "x.jsonl", *({"text": "a", "label": label} for label in labels))
    rows = records_of("jsonl", tmp_path / "x.jsonl")
    assert [json.loads(row.record)["label"] for row in rows] == list(labels)


def test_a_field_inside_another_is_read_from_parquet(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = {"text": ["a"], "meta": [{"label": 3, "more": 4}], "unread": [5]}
    pq.write_table(pa.table(rows), tmp_path / "x.parquet")
    (row,) = records_of("parquet", tmp_path / "x.parquet", label="meta.label")
    assert json.loads(row.record) == {"text": "a", "label": 3}


def test_a_saved_dataset_gives_records(tmp_path):
    import datasets

    table = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [[1], []], "unread": [0, 0]})
    table.save_to_disk(str(tmp_path / "d"))
    rows = records_of("dataset", tmp_path / "d")
    assert [json.loads(row.record)["label"] for row in rows] == [[1], []]
    assert [row.origin.rpartition(":")[2] for row in rows] == ["1", "2"]
