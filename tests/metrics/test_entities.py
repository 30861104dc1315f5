"""Entities in IOB2 tags: sums over rows give what seqeval gives in its strict mode."""

import warnings

import numpy as np
import pytest

from raylm.metrics.entities import Entity, entities, entity_f1, mended, ordered, parts

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def figures_of(judged):
    return judged.metrics(judged.stats.sum(axis=0))


def random_rows(count, seed):
    rng = np.random.default_rng(seed)
    return [[str(tag) for tag in rng.choice(TAGS, rng.integers(1, 12))] for _ in range(count)]


def test_figures_of_any_tags_are_those_of_seqeval():
    from seqeval import metrics as seqeval
    from seqeval.scheme import IOB2

    right = random_rows(300, 0)
    rng = np.random.default_rng(1)
    said = [[tag if rng.random() < 0.8 else str(rng.choice(TAGS)) for tag in row] for row in right]
    found = figures_of(entity_f1(right, said))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = seqeval.classification_report(right, said, mode="strict", scheme=IOB2, output_dict=True)
    micro = report["micro avg"]
    assert list(found)[:3] == ["f1", "precision", "recall"]
    assert found["f1"] == pytest.approx(micro["f1-score"], abs=1e-12)
    assert found["precision"] == pytest.approx(micro["precision"], abs=1e-12)
    assert found["recall"] == pytest.approx(micro["recall"], abs=1e-12)
    for kind in ("PER", "LOC"):
        assert found[f"f1/{kind}"] == pytest.approx(report[kind]["f1-score"], abs=1e-12)


def test_an_entity_is_a_beginning_and_what_goes_on_with_it():
    assert entities(["I-PER", "B-PER", "I-PER", "B-PER", "I-LOC", "O"]) == [
        Entity("PER", 1, 3),
        Entity("PER", 3, 4),
    ]


def test_one_wrong_word_makes_the_entity_wrong():
    judged = entity_f1([["B-PER", "I-PER"], ["B-LOC"], ["O"]], [["B-PER", "O"], ["B-LOC"], ["O"]])
    assert figures_of(judged) == {"f1": 0.5, "precision": 0.5, "recall": 0.5, "f1/LOC": 1.0, "f1/PER": 0.0}
    assert judged.quality.tolist() == [0, 1, 1]


def test_a_type_that_no_row_has_is_one_found_too_many():
    judged = entity_f1([["B-PER", "O"]], [["B-PER", "B-ORG"]])
    assert figures_of(judged)["precision"] == 0.5
    assert judged.stats.shape == entity_f1([["B-PER", "O"]], [["O", "O"]]).stats.shape


def test_no_entities_give_zero_and_no_rows_too():
    assert figures_of(entity_f1([["O"]], [["O"]])) == {"f1": 0, "precision": 0, "recall": 0}
    assert figures_of(entity_f1([], []))["f1"] == 0


@pytest.mark.parametrize(
    ("tags", "right"),
    [
        (["I-PER", "I-PER", "O", "I-PER"], ["B-PER", "I-PER", "O", "B-PER"]),
        (["I-PER", "I-LOC", "B-LOC", "I-LOC"], ["B-PER", "B-LOC", "B-LOC", "I-LOC"]),
        (["B-PER", "I-PER", "O"], ["B-PER", "I-PER", "O"]),
    ],
)
def test_older_tags_become_iob2(tags, right):
    assert mended(tags) == right


@pytest.mark.parametrize("tag", ["PER", "", "b-PER", "B-", "B", "E-PER", "o", "S-LOC", "O-PER"])
def test_what_is_no_tag_is_refused(tag):
    with pytest.raises(ValueError, match="want O, B-x or I-x"):
        mended(["O", tag])


def test_a_type_may_have_a_dash():
    assert parts("I-geo-loc") == ("I", "geo-loc")


def test_labels_begin_with_o_and_lack_no_beginning():
    assert ordered(["I-PER", "B-LOC"]) == ["O", "B-LOC", "B-PER", "I-PER"]
