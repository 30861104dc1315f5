"""Likelihoods become bits a byte; the bigram model is a probability, and better than nothing."""

import math

import pytest

from raylm.metrics.likelihood import (
    CharacterBigrams,
    likelihood_metrics,
    likelihood_quality,
    likelihood_stats,
)


def test_metrics_of_a_hand_computed_pair_of_texts():
    answers = [
        {"log_probability": -8 * math.log(2), "num_tokens": 3},
        {"log_probability": -4 * math.log(2), "num_tokens": 1},
    ]
    stats = likelihood_stats(answers, ["abcd", "é"])
    assert stats[:, 2].tolist() == [4, 2]
    assert likelihood_metrics(stats.sum(axis=0)) == pytest.approx(
        {"bits_per_byte": 2.0, "loss": 3 * math.log(2), "perplexity": 8.0}
    )
    assert next(iter(likelihood_metrics(stats.sum(axis=0)))) == "bits_per_byte"
    assert likelihood_quality(stats).tolist() == pytest.approx([-2, -2])


def test_a_hopeless_model_has_a_finite_perplexity():
    stats = likelihood_stats([{"log_probability": -1e6, "num_tokens": 1}], ["a"])
    assert math.isfinite(likelihood_metrics(stats.sum(axis=0))["perplexity"])


def test_bigrams_by_hand():
    # Followers: "" -> a, a -> b twice, b -> a and the end. Singles: a 2, b 2, end 1.
    model = CharacterBigrams(["abab"])
    characters = 0x110000 - 0x800 + 1
    single = {name: (count + 3 / characters) / (5 + 3) for name, count in {"a": 2, "b": 2, "": 1}.items()}
    expected = math.log((1 + single["a"]) / 2) + math.log((2 + single["b"]) / 3)
    expected += math.log((1 + 2 * single[""]) / 4)
    answer = model.answer("ab")
    assert answer["log_probability"] == pytest.approx(expected)
    assert answer["num_tokens"] == 3


def test_shares_of_what_follows_add_up_to_one():
    model = CharacterBigrams(["hello world", "hello"])
    seen = sorted({*"hello world", ""})
    rest = 0x110000 - 0x800 + 1 - len(seen)
    for first in ("l", "", "never seen"):
        total = sum(model._share(first, second) for second in seen) + rest * model._share(first, "\u4e00")
        assert total == pytest.approx(1)


def test_a_text_like_those_trained_on_is_likelier_and_none_is_impossible():
    model = CharacterBigrams(["the cat sat on the mat", "the dog sat"])
    like, unlike, foreign = (
        model.answer(text)["log_probability"] for text in ("the cat", "tac eht", "我我我我我我我")
    )
    assert like > unlike > foreign > -math.inf


def test_trained_on_nothing_every_character_is_as_likely():
    model = CharacterBigrams([])
    assert model.answer("ab")["log_probability"] == pytest.approx(-3 * math.log(0x110000 - 0x800 + 1))


def test_a_text_may_be_empty():
    assert CharacterBigrams(["", "a"]).answer("")["num_tokens"] == 1
