"""SQuAD's exact match and F1, and the linear model of word counts."""

import json

import numpy as np
import pytest

from raylm.metrics.answers_in_text import answers_in_text, best, exact_match, normalized, word_f1
from raylm.metrics.text_classifier import TextClassifier


def figures_of(judged):
    return judged.metrics(judged.stats.sum(axis=0))


def test_an_answer_is_normalized():
    assert normalized(" The  Cat's, a BIG\tone! ") == "cats big one"
    assert normalized("theater") == "theater"


@pytest.mark.parametrize(
    ("said", "right", "exact", "f1"),
    [
        ("the Norman conquest", "Norman Conquest", 1, 1),
        ("in 1066", "1066", 0, 2 / 3),
        ("no no yes", "no", 0, 0.5),
        ("cat", "dog", 0, 0),
        ("", "", 1, 1),
        ("cat", "", 0, 0),
        ("the", "", 1, 1),
    ],
)
def test_exact_match_and_f1_of_words(said, right, exact, f1):
    assert exact_match(said, right) == exact
    assert word_f1(said, right) == pytest.approx(f1)


def test_the_nearest_of_several_right_answers_counts():
    assert best("Denver Broncos", ["Broncos", "Denver Broncos"]) == (1, 1)
    assert best("", []) == (1, 1)
    assert best("cat", []) == (0, 0)


def test_the_mean_over_rows_is_that_of_the_published_script():
    judged = answers_in_text([["1066"], ["a cat", "the dog"]], ["in 1066", "dog"])
    assert figures_of(judged) == pytest.approx({"f1": (2 / 3 + 1) / 2, "exact_match": 0.5})
    assert judged.quality.argmin() == 0


def test_rows_without_an_answer_are_told_apart():
    judged = answers_in_text([["cat"], [], []], ["cat", "", "dog"])
    expected = {"f1": 2 / 3, "exact_match": 2 / 3, "has_answer_f1": 1.0, "no_answer_accuracy": 0.5}
    assert figures_of(judged) == pytest.approx(expected)
    assert next(iter(figures_of(judged))) == "f1"


def rows_of(count, seed):
    """Texts of which one word tells the label, among many that tell nothing."""
    rng = np.random.default_rng(seed)
    fill = [f"word{number}" for number in range(50)]
    signs = {"good": "lovely", "bad": "awful", "mixed": "uneven"}
    labels = [str(each) for each in rng.choice([*signs], count)]
    texts = [" ".join([*rng.choice(fill, 8), signs[label]]) for label in labels]
    return texts, labels


def test_a_word_that_tells_the_label_is_found():
    model = TextClassifier("label").fit(*rows_of(200, 0))
    texts, labels = rows_of(50, 1)
    said = model.predict(texts)
    assert np.mean([a == b for a, b in zip(said, labels, strict=True)]) > 0.95
    assert said == TextClassifier("label").fit(*rows_of(200, 0)).predict(texts)
    json.dumps(said)


def test_several_labels_are_found_one_by_one():
    texts = ["red", "blue", "red blue", "plain"] * 30
    labels = [["r"], ["b"], ["r", "b"], []] * 30
    said = TextClassifier("labels").fit(texts, labels).predict(texts[:4])
    assert [sorted(each) for each in said] == [["r"], ["b"], ["b", "r"], []]
    json.dumps(said)


def test_a_number_is_learned_from_words():
    texts, values = ["low", "middle", "high"] * 30, [0.0, 5.0, 10.0] * 30
    said = TextClassifier("value").fit(texts, values).predict(["low", "middle", "high", "unseen"])
    assert said[:3] == pytest.approx([0, 5, 10], abs=0.5)
    json.dumps(said)


@pytest.mark.parametrize(
    ("wanted", "texts", "answers", "said"),
    [
        ("label", ["a b", "c d"], ["x", "x"], "x"),
        ("label", ["", "!", "?"], ["y", "x", "x"], "x"),
        ("labels", ["a", "b"], [[], []], []),
        ("value", ["", ""], [1.0, 3.0], 2.0),
    ],
)
def test_where_nothing_can_be_learned_the_usual_is_said(wanted, texts, answers, said):
    assert TextClassifier(wanted).fit(texts, answers).predict(["new text"]) == [said]


def test_few_rows_are_enough():
    model = TextClassifier("label").fit(["good film", "bad film"], ["good", "bad"])
    assert model.predict(["good", "bad", "film"])[:2] == ["good", "bad"]
    assert model.predict([]) == []
