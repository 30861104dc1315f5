import gzip
import json
from types import SimpleNamespace

import pytest

from raylm.config import BadInput
from raylm.data.sources import BadRow
from raylm.data.sources.squad import Squad

FIELDS = ("id", "title", "context", "question", "answers")
TASK = SimpleNamespace(
    split_fields=(), field_names=lambda: FIELDS, record=dict, texts=lambda record: (record["context"],)
)
QUESTIONS = [
    {"id": "a", "question": "Where?", "answers": [{"text": "in Rome", "answer_start": 3}]},
    {"id": "b", "question": "Why?", "answers": [], "is_impossible": True},
]
GIVEN = {
    "version": "2.0",
    "data": [
        {"title": "T", "paragraphs": [{"context": "It in Rome.", "qas": QUESTIONS}]},
        {"paragraphs": [{"context": "Other.", "qas": [{"id": "c", "question": "What?"}]}]},
    ],
}


def source_of(path, given, **settings):
    content = json.dumps(given).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return Squad(path=str(path), **settings)


def records_of(path, given, **settings):
    source = source_of(path, given, **settings)
    return [row for item in source.inputs() for row in source.records(item, TASK)]


@pytest.mark.parametrize("name", ["x.json", "x.json.gz"])
def test_a_question_is_a_row(tmp_path, name):
    rows = records_of(tmp_path / name, GIVEN)
    first, second, third = (json.loads(row.record) for row in rows)
    assert first == {
        "id": "a",
        "title": "T",
        "context": "It in Rome.",
        "question": "Where?",
        "answers": {"text": ["in Rome"], "answer_start": [3]},
    }
    assert second["answers"] == third["answers"] == {"text": [], "answer_start": []}
    assert (third["id"], third["title"]) == ("c", "")
    assert [row.origin for row in rows] == [f"{tmp_path / name}:{number}" for number in (1, 2, 3)]


def test_questions_can_be_documents(tmp_path):
    source = source_of(tmp_path / "x.json", GIVEN, template="{question} {context}")
    assert next(source.read(source.inputs()[0])).text == "Where? It in Rome."


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("Where?", "question: want an object, got text"),
        ({"question": "Where?", "answers": "Rome"}, "answers: want a list of text and answer_start"),
        (
            {"question": "Where?", "answers": [{"text": "Rome"}]},
            "answers: want a list of text and answer_start",
        ),
    ],
)
def test_a_question_of_another_form_is_a_bad_row(tmp_path, question, message):
    given = {"data": [{"paragraphs": [{"context": "c", "qas": [question, QUESTIONS[0]]}]}]}
    bad, good = records_of(tmp_path / "x.json", given, on_bad_row="skip")
    assert isinstance(bad, BadRow)
    assert (bad.origin, bad.message) == (f"{tmp_path / 'x.json'}:1", message)
    assert json.loads(good.record)["id"] == "a"


@pytest.mark.parametrize(
    ("given", "key"),
    [([GIVEN], "data"), ({"data": [{}]}, "paragraphs"), ({"data": [{"paragraphs": [1]}]}, "qas")],
)
def test_json_of_another_form_is_refused(tmp_path, given, key):
    with pytest.raises(BadInput, match=f"has no list '{key}' where SQuAD has it"):
        records_of(tmp_path / "x.json", given)


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(GIVEN)[:-9])
    source = Squad(path=str(tmp_path / "x.json"))
    with pytest.raises(BadInput, match="not JSON"):
        list(source.records(source.inputs()[0], TASK))
