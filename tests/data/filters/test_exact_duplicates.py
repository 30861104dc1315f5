import numpy as np
import pytest

from raylm.data.filters.exact_duplicates import ExactDuplicates

TEXTS = ["One fox.", "Two foxes.", "one  fox", "One  fox.\n", "One fox.", "!!!", "???", "Two foxes."]


def dropped(exact, texts, blocks=(3,)):
    parts = np.split(np.arange(len(texts)), blocks)
    sketches = [exact.sketch([texts[number] for number in part]) for part in parts]
    return {number: twin.of for number, twin in exact.decide(sketches, texts.__getitem__).items()}


@pytest.mark.parametrize(
    ("normalise", "expected"),
    [("none", {4: 0, 7: 1}), ("whitespace", {3: 0, 4: 0, 7: 1}), ("words", {2: 0, 3: 0, 4: 0, 7: 1})],
)
def test_only_the_first_of_equal_documents_stays(normalise, expected):
    assert dropped(ExactDuplicates(normalise=normalise), TEXTS) == expected


@pytest.mark.parametrize("blocks", [(), (1,), (4, 4), (1, 2, 3, 4, 5, 6, 7)])
def test_blocks_make_no_difference(blocks):
    assert dropped(ExactDuplicates(), TEXTS, blocks) == dropped(ExactDuplicates(), TEXTS)


def test_texts_without_words_are_compared_as_they_are():
    assert dropped(ExactDuplicates(normalise="words"), ["* * *", "...", "* * *"], ()) == {2: 0}


def test_lone_surrogates_and_nuls_are_text_like_any_other():
    assert dropped(ExactDuplicates(), ["a\ud800", "a\x00", "a\ud800"], ()) == {2: 0}


def test_an_empty_corpus_has_no_duplicates():
    assert ExactDuplicates().decide([], "".__getitem__) == {}
    assert dropped(ExactDuplicates(), [], ()) == {}
