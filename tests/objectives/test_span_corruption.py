"""Spans that are left out of a text: how many, how long, in which order, and that nothing gets lost."""

import numpy as np
import pytest

from raylm.data.rows import Row
from raylm.kernels.span_corruption import Spans, longest_text, noise, spans_of
from raylm.objectives import IGNORE_INDEX, Frame
from raylm.objectives.span_corruption import SpanCorruption
from tests.objectives.vocabulary import EOS, PAD, SENTINELS, SIZE, VOCABULARY, text

MANY_SENTINELS = tuple(range(SIZE, SIZE + 100))
FRAME = Frame(512, 7, VOCABULARY.__class__(**{**VOCABULARY.__dict__, "sentinel_ids": MANY_SENTINELS}))
OBJECTIVE = SpanCorruption()
NUM_TOKENS = 568  # of T5's code, for 512 inputs


def rows(count: int, length: int = NUM_TOKENS):
    return [Row(i, i, (text(length, i),)) for i in range(count)]


def ragged(tensor, filler):
    return [row[row != filler].tolist() for row in tensor.numpy()]


def test_the_lengths_are_those_of_t5s_code():
    # seqio's random_spans_helper(512, 0.15, 3.0, 1, 1) returns (568, 114): 114 targets for 568 tokens.
    assert longest_text(512, 0.15, 3.0) == NUM_TOKENS
    assert spans_of(NUM_TOKENS, 0.15, 3.0) == Spans(NUM_TOKENS, num_noise=85, num_spans=28)
    assert spans_of(NUM_TOKENS, 0.15, 3.0).num_targets == 114
    assert spans_of(NUM_TOKENS, 0.15, 3.0).num_inputs == 512


def test_a_full_row_fills_the_encoder_to_the_last_token():
    batch = OBJECTIVE.make_batch(rows(4), FRAME)
    assert batch["input_ids"].shape == (4, 512)
    assert batch["labels"].shape == batch["decoder_input_ids"].shape == (4, 114)
    assert "attention_mask" not in batch
    assert (batch["labels"] != IGNORE_INDEX).all()


def test_spans_are_as_many_and_as_long_as_asked_and_fall_anywhere():
    spans = spans_of(NUM_TOKENS, 0.15, 3.0)
    drawn = np.stack([noise(spans, np.random.default_rng(seed)) for seed in range(2000)])
    lengths = drawn[:, :, 1] - drawn[:, :, 0]
    assert (lengths.sum(1) == 85).all()
    assert lengths.min() == 1
    assert lengths.mean() == pytest.approx(85 / 28)
    assert lengths.max() > 10
    # Every division into 28 spans is as likely: a span's chance to have one token is (28 - 1) / (85 - 1).
    assert (lengths == 1).mean() == pytest.approx(27 / 84, abs=0.01)
    covered = np.zeros(NUM_TOKENS)
    for start, stop in drawn.reshape(-1, 2):
        covered[start:stop] += 1 / 2000
    assert covered[50:-50].min() > 0.1
    assert covered[50:-50].max() < 0.2
    assert (drawn[:, 1:, 0] > drawn[:, :-1, 1]).all(), "a kept token stands between spans"


def test_sentinels_come_in_order_and_inputs_and_targets_give_the_text_back():
    found = rows(20)
    batch = OBJECTIVE.make_batch(found, FRAME)
    for row, inputs, targets in zip(
        found, ragged(batch["input_ids"], PAD), ragged(batch["labels"], IGNORE_INDEX), strict=True
    ):
        assert inputs[-1] == targets[-1] == EOS
        order = [token for token in inputs if token in MANY_SENTINELS]
        assert order == list(MANY_SENTINELS[: len(order)])
        assert [token for token in targets if token in MANY_SENTINELS] == order
        spans, text_back = {}, []
        for token in targets[:-1]:
            if token in MANY_SENTINELS:
                spans[token] = []
            else:
                spans[order[len(spans) - 1]].append(token)
        for token in inputs[:-1]:
            text_back += spans.get(token, [token])
        assert text_back == row.arrays[0].tolist()


def test_the_decoder_reads_its_targets_one_step_late():
    batch = OBJECTIVE.make_batch([*rows(2), *rows(1, 40)], FRAME)
    for labels, read in zip(batch["labels"], batch["decoder_input_ids"], strict=True):
        kept = labels[labels != IGNORE_INDEX]
        assert read[0] == PAD
        assert (read[1 : len(kept)] == kept[:-1]).all()


@pytest.mark.parametrize("length", [1, 2, 3, 7, 30])
def test_a_short_row_has_a_span_and_its_padding_is_not_read(length):
    batch = OBJECTIVE.make_batch(rows(1, length), FRAME)
    labels = batch["labels"][batch["labels"] != IGNORE_INDEX].tolist()
    assert labels[0] == MANY_SENTINELS[0]
    assert len(labels) >= 3
    num_read = int(batch["attention_mask"].sum())
    assert (batch["input_ids"][0, num_read:] == PAD).all()
    assert OBJECTIVE.num_inputs(batch) == num_read + len(labels)


def test_spans_change_with_the_sample_and_not_with_what_was_drawn_before():
    row = rows(1)[0]
    again = Row(1, 0, row.arrays)
    one, same, other = (OBJECTIVE.make_batch([each], FRAME)["input_ids"] for each in (row, row, again))
    assert (one == same).all()
    assert (one != other).any()


def test_too_few_sentinels_are_refused_with_both_numbers():
    (problem,) = OBJECTIVE.problems(FRAME._replace(vocabulary=VOCABULARY))
    assert (problem.field, problem.code) == ("objective", "sentinels")
    assert f"needs 28 sentinels, <extra_id_0> and on, the tokenizer has {len(SENTINELS)}" in problem.message
    assert not OBJECTIVE.problems(FRAME)


def test_the_share_and_the_length_of_spans_are_the_recipes():
    objective = SpanCorruption(noise_share=0.5, mean_span=5)
    batch = objective.make_batch(rows(50), FRAME._replace(sequence_length=600))
    targets = ragged(batch["labels"], IGNORE_INDEX)
    dropped = np.array([sum(token < SIZE for token in row[:-1]) for row in targets])
    assert (dropped == 284).all()
    assert np.mean([sum(token >= SIZE for token in row) for row in targets]) == 57
