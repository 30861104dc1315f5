import json
from types import SimpleNamespace

import pytest

from raylm.config import BadInput
from raylm.data.sources import BadRow
from raylm.data.sources.conll import Conll

WNUT = "at\tO\nNew\tB-location\nYork\tI-location\n\n\n#\tO\nok\tO\n"
UNER = "# id = 1\n# text = to Tampa\n1\tto\tO\t-\t-\n2\tTampa\tB-LOC\t-\tann\n\n# text = #\n1\t#\tO\t-\n\n"
CONLL_2003 = "-DOCSTART- -X- O O\n\nEU NNP I-NP B-ORG\nrejects VBZ I-VP O\n"


def tagged(values):
    return {"tokens": values["tokens"], "tags": values["tags"]}


TASK = SimpleNamespace(
    split_fields=(),
    field_names=lambda: ("tokens", "tags"),
    record=tagged,
    texts=lambda record: (" ".join(record["tokens"]),),
)


def rows_of(path, text, **settings):
    path.write_text(text)
    source = Conll(path=str(path), **settings)
    return [row for item in source.inputs() for row in source.records(item, TASK)]


def pairs(rows):
    records = [json.loads(row.record) for row in rows]
    return [list(zip(record["tokens"], record["tags"], strict=True)) for record in records]


def test_a_sentence_is_a_row_of_words_and_tags(tmp_path):
    rows = rows_of(tmp_path / "x.conll", WNUT)
    assert pairs(rows) == [
        [("at", "O"), ("New", "B-location"), ("York", "I-location")],
        [("#", "O"), ("ok", "O")],
    ]
    assert [row.origin.rpartition(":")[2] for row in rows] == ["1", "6"]


@pytest.mark.parametrize(
    ("name", "settings"), [("x.iob2", {}), ("x.txt", {"token_column": 1, "tag_column": 2})]
)
def test_numbered_words_with_comments_before_them_are_read(tmp_path, name, settings):
    rows = rows_of(tmp_path / name, UNER, **settings)
    assert pairs(rows) == [[("to", "O"), ("Tampa", "B-LOC")], [("#", "O")]]
    assert rows[0].origin.endswith(":3")


def test_columns_parted_by_blanks_and_lines_between_documents_are_read(tmp_path):
    assert pairs(rows_of(tmp_path / "x.txt", CONLL_2003)) == [[("EU", "B-ORG"), ("rejects", "O")]]
    rows = rows_of(tmp_path / "x.txt", CONLL_2003, tag_column=1)
    assert pairs(rows) == [[("EU", "NNP"), ("rejects", "VBZ")]]


def test_a_word_that_looks_like_a_comment_stays_inside_a_sentence(tmp_path):
    assert pairs(rows_of(tmp_path / "x.txt", "a O\n# O\n")) == [[("a", "O"), ("#", "O")]]
    assert pairs(rows_of(tmp_path / "x.txt", "# O\na O\n")) == [[("a", "O")]]
    assert pairs(rows_of(tmp_path / "x.txt", "# O\na O\n", comment="")) == [[("#", "O"), ("a", "O")]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lonely", "1 column, want a word in column 0 and a tag in column -1"),
        ("\tO", "the word is blank"),
        ("word\t ", "the tag is blank"),
    ],
)
def test_a_line_without_a_word_or_a_tag_is_a_bad_row(tmp_path, line, message):
    rows = rows_of(tmp_path / "x.conll", f"a\tO\n{line}\nb\tO\n\nc\tO\n", on_bad_row="skip")
    assert isinstance(rows[0], BadRow)
    assert (rows[0].origin, rows[0].message) == (f"{tmp_path / 'x.conll'}:2", message)
    assert pairs(rows[1:]) == [[("c", "O")]]


def test_too_few_columns_for_the_one_that_is_asked_for_are_named(tmp_path):
    (row,) = rows_of(tmp_path / "x.conll", "a\tO\n", tag_column=3)
    assert row.message == "2 columns, want a word in column 0 and a tag in column 3"


def test_the_columns_count_in_the_digest_where_the_name_decides_them(tmp_path):
    for name in ("x.iob2", "x.conll"):
        (tmp_path / name).write_text(UNER)

    def digest(name, **settings):
        source = Conll(path=str(tmp_path / name), **settings)
        return source.digest(source.inputs()[0], lambda _: None)

    assert digest("x.iob2") != digest("x.conll")
    assert digest("x.iob2") == digest("x.conll", token_column=1, tag_column=2)


def test_sentences_can_be_documents(tmp_path):
    (tmp_path / "x.conll").write_text(WNUT)
    source = Conll(path=str(tmp_path / "x.conll"), template="{tokens.0}/{tags.0}")
    assert [row.text for row in source.read(source.inputs()[0])] == ["at/O", "#/O"]
    with pytest.raises(BadInput, match="no 'text'; columns are tokens, tags"):
        list(Conll(path=str(tmp_path / "x.conll")).read(source.inputs()[0]))
