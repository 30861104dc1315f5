"""Prefix language modelling: the prefix sees itself whole, the rest is predicted from what stands before."""

import numpy as np
import pytest
import torch

from raylm.data.rows import Row
from raylm.models.gpt2 import GPT2
from raylm.models.llama import Llama
from raylm.objectives import IGNORE_INDEX, Frame
from raylm.objectives.prefix import Prefix
from tests.objectives.vocabulary import VOCABULARY, text

LENGTH = 16
FRAME = Frame(LENGTH, 7, VOCABULARY)
OBJECTIVE = Prefix()


def rows(count: int):
    return [Row(i, i, (text(LENGTH + 1, i),)) for i in range(count)]


def test_prefixes_have_every_length_and_what_follows_is_predicted():
    batch = OBJECTIVE.make_batch(rows(3200), FRAME)
    counts = np.bincount(batch["prefix_lengths"], minlength=LENGTH)
    assert len(counts) == LENGTH
    assert np.abs(counts / 3200 - 1 / LENGTH).max() < 0.02
    for prefix, labels in zip(batch["prefix_lengths"].tolist(), batch["labels"], strict=True):
        assert (labels[: max(0, prefix - 1)] == IGNORE_INDEX).all()
        assert (labels[max(0, prefix - 1) :] != IGNORE_INDEX).all()


@pytest.mark.parametrize("family", [GPT2, Llama], ids=["gpt2", "llama"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_prefix_sees_itself_from_both_sides_and_the_rest_sees_only_what_stands_before(family, attention):
    torch.manual_seed(0)
    model = family(num_layers=1, num_heads=2, hidden_size=16).build(VOCABULARY, LENGTH).eval()
    model.set_attn_implementation(attention)
    batch = OBJECTIVE.make_batch(rows(1), FRAME)
    batch["prefix_lengths"] = torch.tensor([6])

    def logits(ids):
        with torch.no_grad():
            return model(**OBJECTIVE.inputs(model, {**batch, "input_ids": ids})).logits[0]

    before = logits(batch["input_ids"])
    for place in range(LENGTH):
        changed = batch["input_ids"].clone()
        changed[0, place] = 12 + (changed[0, place] + 1) % 48
        moved = (logits(changed) - before).abs().amax(-1) > 0
        first = 0 if place < 6 else place
        assert moved.tolist() == [at >= first for at in range(LENGTH)]
