"""GLEU rewards corrections and counts against an answer the errors it leaves."""

import math

import pytest

from raylm.metrics.gleu import gleu_metrics, gleu_quality, gleu_stats
from raylm.metrics.overlap import bleu_metrics, bleu_stats

SOURCE = "he go to the school every day"
TARGET = "he goes to the school every day"


def gleu(source, answer, *references):
    return gleu_metrics(gleu_stats([source], [answer], [references]).sum(axis=0))["gleu"]


def test_an_answer_that_is_the_reference_gives_100():
    assert gleu(SOURCE, TARGET, TARGET) == pytest.approx(100)


def test_an_error_that_is_left_is_counted_by_hand():
    # 7 words, of which "go" is the source's alone: 6 - 1. Pairs: 6, two of them with "go": 4 - 2. Triples: 5,
    # "he go to", "go to the" with it: 3 - 2. Fours: 4, two with it: 2 - 2.
    stats = gleu_stats([SOURCE], [SOURCE], [[TARGET]])[0]
    assert stats.tolist() == [7, 7, 5, 7, 2, 6, 1, 5, 0, 4]
    assert gleu(SOURCE, SOURCE, TARGET) == 0


def test_gleu_of_a_longer_sentence_by_hand():
    words = [*"abcdefghij"]
    source, target = " ".join(["x", *words]), " ".join(["y", *words])
    # 11 words; each n has one n-gram with x: credits are 10 - 1, 9 - 1, 8 - 1, 7 - 1 of 11, 10, 9, 8.
    expected = math.prod([9 / 11, 8 / 10, 7 / 9, 6 / 8]) ** 0.25
    assert gleu(source, source, target) == pytest.approx(100 * expected)


def test_an_error_that_is_left_costs_more_than_with_bleu_and_more_than_another_error():
    source, target = "a b c d x f g h i j", "a b c d e f g h i j"
    other = "a b c d z f g h i j"
    bleu = bleu_metrics(bleu_stats([source], [[target]]).sum(axis=0))["bleu"]
    assert gleu(source, source, target) < bleu
    assert gleu(source, source, target) < gleu(source, other, target) == pytest.approx(bleu)


def test_a_word_too_many_that_is_left_counts_by_the_number_of_times():
    stats = gleu_stats(["the the cat sat"], ["the the cat sat"], [["the cat sat"]])[0]
    assert stats[2] == 3 - 1


def test_a_short_answer_is_penalized():
    target = "a b c d e f g h"
    assert gleu(target, "a b c d", target) == pytest.approx(100 * math.exp(1 - 2))


def test_of_several_references_the_mean_counts():
    one, two = "a b c d e", "a b c d f"
    stats = gleu_stats([one], [one], [[one, two]])
    halves = gleu_stats([one, one], [one, one], [[one], [two]]).mean(axis=0)
    assert stats[0].tolist() == halves.tolist()
    assert gleu(one, one, two) < gleu(one, one, one, two) < gleu(one, one, one)


def test_a_row_alone_has_a_quality_between_nothing_and_all():
    stats = gleu_stats([SOURCE] * 3, [TARGET, SOURCE, "no"], [[TARGET]] * 3)
    best, left, worst = gleu_quality(stats)
    assert best == pytest.approx(1)
    assert 0 <= worst < left < best


def test_an_empty_answer_gives_0():
    assert gleu(SOURCE, "", TARGET) == 0
