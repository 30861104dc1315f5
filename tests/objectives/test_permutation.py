"""Permutation language modelling: which tokens are predicted, and that none sees what it must not see."""

import numpy as np
import pytest
import torch
from transformers import DataCollatorForPermutationLanguageModeling

from raylm.data.rows import Row
from raylm.kernels.permutation import choose_spans, hidden_from
from raylm.models.xlnet import XLNet
from raylm.objectives import IGNORE_INDEX, Frame
from raylm.objectives.permutation import Permutation
from tests.objectives.vocabulary import CLS, EOS, FIRST_TEXT, MASK, PAD, SEP, SIZE, VOCABULARY, text

LENGTH = 62
FRAME = Frame(LENGTH, 7, VOCABULARY)
OBJECTIVE = Permutation()


def rows(count: int, length: int = LENGTH - 2, first: int = 0):
    return [Row(i, i, (text(length, i % 7),)) for i in range(first, first + count)]


def places_of(batch) -> np.ndarray:
    """Return where the targets stand (B, K); -1 where there is none."""
    mapping = batch["target_mapping"].numpy()
    return np.where(mapping.any(-1), mapping.argmax(-1), -1)


def test_a_sixth_of_the_tokens_is_predicted_in_spans_of_one_to_five():
    batch = OBJECTIVE.make_batch(rows(2000), FRAME)
    assert batch["labels"].shape == (2000, 10)
    assert (batch["labels"] != IGNORE_INDEX).all()
    sizes = []
    for places in places_of(batch):
        assert (np.diff(places) > 0).all()
        sizes += np.diff(np.flatnonzero(np.diff(places, prepend=-9, append=999) > 1)).tolist()
    shares = np.bincount(sizes)[1:6] / len(sizes)
    assert (np.diff(shares) < 0).all(), "longer spans are rarer"
    assert np.bincount(sizes)[6:].sum() < 0.05 * len(sizes)  # neighbouring spans
    often = np.bincount(places_of(batch).ravel(), minlength=LENGTH) / 2000
    assert often[LENGTH - 2 :].sum() == 0, "separator and class are never predicted"
    assert often[: LENGTH - 2].min() > 0.08
    assert often.max() < 0.27


class _Ids:
    mask_token, mask_token_id, pad_token_id, pad_token = "<mask>", MASK, PAD, "<pad>"

    def get_special_tokens_mask(self, ids, already_has_special_tokens):
        return [int(i < FIRST_TEXT) for i in ids]


def test_the_share_predicted_is_that_of_transformers_collator():
    torch.manual_seed(0)
    collator = DataCollatorForPermutationLanguageModeling(tokenizer=_Ids())
    ids = torch.tensor(np.stack([[*row.arrays[0], SEP, CLS] for row in rows(600)]))
    *_, labels = collator.torch_mask_tokens(ids)
    theirs = (labels != IGNORE_INDEX)[:, :-2].double().mean().item()
    ours = (OBJECTIVE.make_batch(rows(600), FRAME)["labels"] != IGNORE_INDEX).sum().item() / (600 * 60)
    assert ours == pytest.approx(1 / 6)
    assert theirs == pytest.approx(ours, abs=0.02)


def test_the_mask_is_that_of_transformers_collator_for_the_same_order():
    targets = np.array([3, 4, 9, 20])
    mine = hidden_from(targets, 24, np.random.default_rng(1))
    order = np.full(24, -1)
    order[targets] = np.random.default_rng(1).permutation(4)
    rank = torch.tensor(order)
    is_target = torch.zeros(24, dtype=torch.bool)
    is_target[targets] = True
    theirs = (rank.reshape(24, 1) <= rank.reshape(1, 24)) & is_target  # as torch_mask_tokens spells it
    assert torch.equal(torch.tensor(mine).bool(), theirs)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return (
        XLNet(num_layers=2, num_heads=2, hidden_size=16, initializer_range=0.2)
        .build(VOCABULARY, LENGTH)
        .eval()
    )


def logits_of(model, batch):
    with torch.no_grad():
        return model(**OBJECTIVE.inputs(model, batch)).logits


def test_a_target_sees_the_tokens_before_it_in_the_order_and_no_other(model):
    batch = OBJECTIVE.make_batch(rows(3), FRAME)
    before = logits_of(model, batch)
    places = places_of(batch)
    hidden = batch["perm_mask"].bool()
    num_seen = num_unseen = 0
    for row in range(3):
        for place in range(LENGTH):
            changed = {**batch, "input_ids": batch["input_ids"].clone()}
            old = int(changed["input_ids"][row, place])
            changed["input_ids"][row, place] = FIRST_TEXT + (old + 5) % (SIZE - FIRST_TEXT)
            moved = (logits_of(model, changed)[row] - before[row]).abs().amax(-1)
            must_not_see = hidden[row, places[row], place]
            assert (moved[must_not_see] == 0).all()
            assert (moved[~must_not_see] > 0).all()
            num_unseen += int(must_not_see.sum())
            num_seen += int((~must_not_see).sum())
    assert num_unseen == 3 * (10 + 45)  # itself, and the targets after it in the order
    assert num_seen > num_unseen


def test_the_order_of_the_targets_is_another_for_each_sample():
    one, other = (OBJECTIVE.make_batch(rows(1, first=first), FRAME)["perm_mask"] for first in (0, 7))
    assert not torch.equal(one, other)
    assert torch.equal(one, OBJECTIVE.make_batch(rows(1), FRAME)["perm_mask"])


def test_every_target_comes_first_in_the_order_as_often_as_the_others():
    targets = np.arange(5)
    first = np.zeros(5)
    for seed in range(2000):
        hidden = hidden_from(targets, 8, np.random.default_rng(seed))[:5, :5]
        first[hidden.sum(1).argmax()] += 1
    assert np.abs(first / 2000 - 0.2).max() < 0.04


@pytest.mark.parametrize("num_tokens", [1, 2, 5, 11])
def test_a_short_row_predicts_a_token_and_pads_the_rest(model, num_tokens):
    batch = OBJECTIVE.make_batch([*rows(1), *rows(1, num_tokens)], FRAME)
    assert (batch["labels"][1] != IGNORE_INDEX).sum() == max(1, round(num_tokens / 6))
    assert batch["attention_mask"][1].sum() == num_tokens + 2
    alone = OBJECTIVE.make_batch(rows(1, num_tokens), FRAME._replace(sequence_length=num_tokens + 2))
    together = logits_of(model, batch)[1, : alone["labels"].shape[1]]
    torch.testing.assert_close(together, logits_of(model, alone)[0], rtol=1e-4, atol=1e-5)


def test_special_tokens_are_not_predicted():
    is_text = np.ones(30, dtype=bool)
    is_text[::3] = False
    for seed in range(50):
        chosen = choose_spans(is_text, 5, 5, np.random.default_rng(seed))
        assert len(chosen) == 5
        assert is_text[chosen].all()
    row = Row(0, 0, (np.array([EOS] * 6),))
    assert (OBJECTIVE.make_batch([row], FRAME)["labels"] == IGNORE_INDEX).all()
