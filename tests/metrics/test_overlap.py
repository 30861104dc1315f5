"""ROUGE, BLEU and chrF from sums of rows are those of the packages everyone uses."""

import numpy as np
import pytest
import sacrebleu

from raylm.metrics import overlap

ANSWERS = ["the cat sat on the mat", "a dog barks loudly at night", "rain", ""]
REFERENCES = [
    ["the cat sat on a mat", "there is a cat on the mat"],
    ["the dog barks at night"],
    ["it rains all day"],
    ["nothing is written here"],
]


def padded():
    """The references as sacrebleu wants them: one list for each place, None where a row has fewer."""
    return [[row[place] if place < len(row) else None for row in REFERENCES] for place in range(2)]


def test_bleu_from_sums_is_sacrebleus_of_the_corpus():
    stats = overlap.bleu_stats(ANSWERS, REFERENCES)
    expected = sacrebleu.corpus_bleu(ANSWERS, padded()).score
    assert overlap.bleu_metrics(stats.sum(axis=0)) == {"bleu": pytest.approx(expected, abs=1e-12)}
    assert 10 < expected < 90


def test_chrf_from_sums_is_sacrebleus_of_the_corpus():
    stats = overlap.chrf_stats(ANSWERS, REFERENCES)
    expected = sacrebleu.corpus_chrf(ANSWERS, padded()).score
    assert overlap.chrf_metrics(stats.sum(axis=0)) == {"chrf": pytest.approx(expected, abs=1e-12)}
    assert 10 < expected < 90


def test_the_words_of_bleu_are_cut_as_asked():
    answers, references = ["我喜欢猫和狗"], [["我喜欢猫和鱼"]]
    by_character = overlap.bleu_stats(answers, references, tokenize="zh")[0]
    assert by_character[2:6].tolist() == [5, 4, 3, 2]
    assert overlap.bleu_stats(answers, references)[0, 2] == 0


def test_any_rows_can_be_put_together():
    stats = overlap.bleu_stats(ANSWERS, REFERENCES)
    drawn = [0, 0, 1]
    expected = sacrebleu.corpus_bleu(
        [ANSWERS[number] for number in drawn], [[row[number] for number in drawn] for row in padded()]
    )
    assert overlap.bleu_metrics(stats[drawn].sum(axis=0))["bleu"] == pytest.approx(expected.score)


def test_rouge_of_a_hand_computed_pair():
    # 5 of 6 words each way; of 5 pairs of words, the first 3 and no other; the longest common run 5 of 6.
    stats = overlap.rouge_stats(["the cat sat on the mat"], [["the cat sat on a mat"]])
    expected = {"rougeL": 500 / 6, "rouge1": 500 / 6, "rouge2": 300 / 5}
    assert overlap.rouge_metrics(stats.sum(axis=0)) == pytest.approx(expected)


def test_rouge_is_the_mean_over_rows_and_the_best_reference_counts():
    stats = overlap.rouge_stats(["cats sleep", "x"], [["dogs bark", "cat sleeping"], ["y"]])
    assert stats[0].tolist() == [100, 100, 100, 1]  # stems are compared
    assert overlap.rouge_metrics(stats.sum(axis=0))["rouge1"] == 50


def test_rouge_knows_words_of_other_scripts():
    russian = overlap.rouge_stats(["кошка спит дома"], [["кошка спит здесь"]])
    assert russian[0, 1] == pytest.approx(200 / 3)
    chinese = overlap.rouge_stats(["我喜欢猫"], [["我喜欢狗"]])
    assert chinese[0, 1] == pytest.approx(75)


def test_no_rows_give_zeros():
    for stats_of, metrics_of in (
        (overlap.rouge_stats, overlap.rouge_metrics),
        (overlap.bleu_stats, overlap.bleu_metrics),
        (overlap.chrf_stats, overlap.chrf_metrics),
    ):
        stats = stats_of([], [])
        assert stats.shape[0] == 0
        assert not any(metrics_of(stats.sum(axis=0)).values())


def test_sums_of_weighted_rows_are_taken_too():
    stats = overlap.chrf_stats(["cat"], [["cat"]])
    assert overlap.chrf_metrics(np.asarray(stats.sum(axis=0)) * 3.0)["chrf"] == pytest.approx(100)
