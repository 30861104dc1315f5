"""Sequence classification: what rows mean, which ids they become, what answers are worth."""

import json
import math

import pytest
from pydantic import ValidationError

from raylm.config.errors import BadInput
from raylm.data.records import NoTextError
from raylm.data.sources.jsonl import Jsonl
from raylm.data.text_encoder import TextEncoder
from raylm.data.tokenizers.wordpiece import WordPiece
from raylm.tasks import Task
from raylm.tasks.sequence_classification import SequenceClassification

TEXTS = ["a good film", "a bad film", "the good and the bad"] * 5


@pytest.fixture(scope="module")
def tokenizer():
    return WordPiece(vocab_size=100).train(iter(TEXTS))


def label_of(value, **settings):
    return SequenceClassification(**settings).record({"text": "a", "label": value})["label"]


def refusal(value, **settings):
    with pytest.raises(NoTextError) as error:
        label_of(value, **settings)
    return error.value


def judged(task, labels, answers):
    found = task.judge([{"text": "a", "label": label} for label in labels], answers)
    return found.metrics(found.stats.sum(axis=0))


def test_it_is_a_kind_of_task():
    task = Task.model_validate({"kind": "sequence_classification", "labels": ["a", "b"]})
    assert isinstance(task, SequenceClassification)
    assert task.settings()["labels"] == ["a", "b"]


@pytest.mark.parametrize(
    "settings",
    [
        {"is_multi_label": True, "is_regression": True},
        {"labels": ["a", "b", "a"]},
        {"is_regression": True, "labels": ["a"]},
        {"label_separator": ""},
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings):
    with pytest.raises(ValidationError):
        SequenceClassification(**settings)


@pytest.mark.parametrize(
    ("value", "name"),
    [("good", "good"), (3, "3"), (2.0, "2"), (True, "True"), ("007", "007"), (10**18, "1" + "0" * 18)],
)
def test_the_name_of_a_label_is_how_it_is_written(value, name):
    assert label_of(value) == name


@pytest.mark.parametrize(
    ("value", "labels", "name"),
    [
        (1, ("neg", "pos"), "pos"),
        ("1", ("neg", "pos"), "pos"),
        ("neg", ("neg", "pos"), "neg"),
        (1, ("2", "1"), "1"),
        (False, ("True", "False"), "False"),
    ],
)
def test_a_number_counts_the_labels_that_are_given_unless_it_is_one(value, labels, name):
    assert label_of(value, labels=labels) == name


@pytest.mark.parametrize(
    ("value", "settings", "message", "code"),
    [
        (None, {}, "label is null", "null"),
        (math.nan, {}, "label: NaN", "nan"),
        (math.nan, {"is_regression": True}, "label: NaN", "nan"),
        ("nan", {"is_regression": True}, "label: NaN", "nan"),
        (math.inf, {"is_regression": True}, "label: infinite", "nan"),
        ("", {}, "label is empty", "empty"),
        (10**40, {}, "label: too large for 64 bit", "large"),
        (7, {"labels": ("a", "b", "c")}, "label 7: labels has 3 names", "label"),
        (-1, {"labels": ("a", "b", "c")}, "label -1: labels has 3 names", "label"),
        (True, {"labels": ("a", "b", "c")}, "label True: labels has 3 names", "label"),
        ("pso", {"labels": ("neg", "pos")}, "label 'pso': labels are neg, pos", "label"),
        (["a"], {}, "label: want text or a number, got list", "type"),
        ({"a": 1}, {}, "label: want text or a number, got object", "type"),
        (0.5, {}, "label: 0.5 is no class", "type"),
        ("high", {"is_regression": True}, "label: want a number, got 'high'", "type"),
        (True, {"is_regression": True}, "label: want a number, got True", "type"),
        ([None], {"is_multi_label": True}, "label is null", "null"),
    ],
)
def test_a_label_that_cannot_be_used_is_refused(value, settings, message, code):
    error = refusal(value, **settings)
    assert (error.message, error.code, error.name) == (message, code, "label")


def test_a_refusal_says_how_to_mend_it():
    assert refusal(10**40).mend == "quote it"
    assert refusal(["a"]).mend == "set is_multi_label: true"
    assert refusal(0.5).mend == "set is_regression: true for numbers"
    assert refusal("pso", labels=("neg", "pos")).mend == "did you mean pos?"


def test_text_and_numbers_in_one_column_are_refused_and_counted(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "label": 1}\n{"text": "b", "label": "one"}\n')
    source = Jsonl(path=str(path))
    [item] = source.inputs()
    *_, bad = source.records(item, SequenceClassification())
    assert bad.message == "label: number in 1 row, text in 1 row (first at line 2)"


def test_the_labels_that_are_given_give_the_order():
    assert SequenceClassification().label_set({"b", "c", "a"}) == ("a", "b", "c")
    assert SequenceClassification(labels=("c", "a", "b")).label_set({"a", "b"}) == ("c", "a", "b")
    for task in (SequenceClassification(), SequenceClassification(labels=("a", "b"))):
        with pytest.raises(BadInput, match="every training row has the label 'a'"):
            task.label_set({"a"})
    assert SequenceClassification(is_multi_label=True).label_set({"a"}) == ("a",)
    assert SequenceClassification(is_regression=True).label_set(()) == ()


def test_a_missing_field_names_the_columns():
    with pytest.raises(NoTextError, match="no 'label'; columns are text, labl") as error:
        SequenceClassification().record({"text": "a", "labl": 1})
    assert error.value.mend == "did you mean labl?"
    with pytest.raises(NoTextError, match="pair: want text, got whole number"):
        SequenceClassification(pair_field="pair").record({"text": "a", "pair": 1, "label": 1})


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (["a", "b", "a"], ["a", "b"]),
        ([], []),
        ("", []),
        ("b, a", ["b", "a"]),
        ([2, 0], ["c", "a"]),
        (1, ["b"]),
    ],
)
def test_a_row_may_have_any_number_of_labels(value, names):
    assert label_of(value, is_multi_label=True, labels=("a", "b", "c")) == names


def test_fields_may_stand_inside_others_and_records_are_json():
    task = SequenceClassification(text_field="a.text", pair_field="b", label_field="a.label")
    assert task.field_names() == ("a.text", "b", "a.label")
    record = task.record({"a": {"text": "one", "label": 1}, "b": "two"})
    assert json.loads(json.dumps(record)) == {"text": "one", "pair": "two", "label": "1"}
    assert task.texts(record) == ("one", "two")


def test_ids_are_the_whole_input_and_the_class(tokenizer):
    encoder = TextEncoder(tokenizer, "sequence_classification", ["bad", "good"])
    task = SequenceClassification(pair_field="pair")
    [row] = task.encode({"text": "a good film", "pair": "the film", "label": "good"}, encoder)
    assert tokenizer.decode(row.tokens) == "[CLS] a good film [SEP] the film [SEP]"
    assert row.target == [1]
    with pytest.raises(BadInput, match="label odd: the model has 2 classes"):
        task.encode({"text": "a", "pair": "a", "label": "odd"}, encoder)


def test_several_classes_are_several_ids_and_a_number_is_itself(tokenizer):
    encoder = TextEncoder(tokenizer, "sequence_classification", ["x", "y", "z"])
    several = SequenceClassification(is_multi_label=True)
    assert several.encode({"text": "a", "label": ["z", "x"]}, encoder)[0].target == [2, 0]
    assert several.encode({"text": "a", "label": []}, encoder)[0].target == []
    assert several.label_names({"text": "a", "label": ["z", "x"]}) == ["z", "x"]
    number = SequenceClassification(is_regression=True)
    record = number.record({"text": "a", "label": "2.5"})
    assert number.encode(record, encoder)[0].target == [2.5]
    assert list(number.label_names(record)) == []


def test_the_first_metric_is_the_tasks_own():
    single, several = SequenceClassification(), SequenceClassification(is_multi_label=True)
    number = SequenceClassification(is_regression=True)
    assert [each.answer_kind for each in (single, several, number)] == ["label", "labels", "value"]
    assert next(iter(judged(single, ["a", "b"], ["a", "a"]).items())) == ("accuracy", 0.5)
    assert next(iter(judged(several, [["a"], []], [["a"], []]).items())) == ("micro_f1", 1.0)
    assert next(iter(judged(number, [1.0, 2.0], [3.0, 5.0]).items())) == ("pearson", pytest.approx(1.0))


def test_rows_are_grouped_by_their_class_where_they_have_one():
    assert SequenceClassification().group({"text": "a", "label": "x"}) == "x"
    assert SequenceClassification(is_multi_label=True).group({"text": "a", "label": ["x"]}) is None
    assert SequenceClassification(is_regression=True).group({"text": "a", "label": 1.0}) is None


def test_baselines_are_the_usual_answer_and_a_linear_model():
    task = SequenceClassification()
    train = [{"text": f"a {word} film", "label": word} for word in ["good", "bad", "bad"] * 20]
    found = task.baselines(iter(train), train[:2])
    assert [*found.items()] == [
        ("majority class", ["bad", "bad"]),
        ("tf-idf with logistic regression", ["good", "bad"]),
    ]
    assert task.baselines([], train) == {}


def test_baselines_of_pairs_numbers_and_several_labels():
    pairs = [{"text": "a", "pair": word, "label": word} for word in ["same", "other"] * 20]
    assert [*SequenceClassification(pair_field="pair").baselines(pairs, pairs[:2]).values()][1] == [
        "same",
        "other",
    ]
    numbers = [{"text": word, "label": value} for word, value in [("low", 0.0), ("high", 4.0)] * 20]
    mean, ridge = SequenceClassification(is_regression=True).baselines(numbers, numbers[:2]).values()
    assert mean == [2.0, 2.0]
    assert ridge == pytest.approx([0, 4], abs=0.5)
    several = [
        {"text": " ".join(names), "label": names} for names in (["x"], ["x", "y"], ["z"]) for _ in range(20)
    ]
    usual, linear = SequenceClassification(is_multi_label=True).baselines(several, several[::20]).values()
    assert usual == [["x"]] * 3
    assert [sorted(each) for each in linear] == [["x"], ["x", "y"], ["z"]]
