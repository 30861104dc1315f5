"""Which tokens a masked model must guess, and what stands in their place."""

import numpy as np
import pytest
import torch
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

from raylm.data.rows import Row
from raylm.models.bert import Bert
from raylm.models.roberta import Roberta
from raylm.objectives import IGNORE_INDEX, Frame
from raylm.objectives.masked import Masked
from tests.objectives.vocabulary import CLS, EOS, FIRST_TEXT, MASK, PAD, SEP, SIZE, VOCABULARY, text

LENGTH = 130
FRAME = Frame(LENGTH, 7, VOCABULARY)
MANY = 400


def rows(count=MANY, first=0, length=LENGTH - 2):
    return [Row(i, i % 50, (text(length, i % 50),)) for i in range(first, first + count)]


def batch_of(found, **fields):
    return Masked(**fields).make_batch(found, FRAME)


def shares(batch):
    """Return the share of text tokens that are guessed, and of those the shares masked, random and kept."""
    labels, inputs = batch["labels"].numpy(), batch["input_ids"].numpy()
    hidden = labels != IGNORE_INDEX
    masked = (inputs == MASK)[hidden].mean()
    kept = (inputs == labels)[hidden].mean()
    return hidden[:, 1:-1].mean(), masked, 1 - masked - kept, kept


def test_fifteen_percent_are_guessed_and_stand_as_mask_random_or_themselves():
    hidden, masked, random, kept = shares(batch_of(rows()))
    assert hidden == pytest.approx(0.15, abs=0.002)  # a row's share is exact to half a token
    assert masked == pytest.approx(0.8, abs=0.02)
    # One random token in 48 happens to be the one that stood there.
    assert random == pytest.approx(0.1 * 47 / 48, abs=0.015)
    assert kept == pytest.approx(0.1 + 0.1 / 48, abs=0.015)


def test_the_shares_are_those_of_the_recipe():
    batch = batch_of(rows(), mask_share=0.4, replace_share=0.5, random_share=0.5)
    hidden, masked, random, kept = shares(batch)
    assert (hidden, masked) == (pytest.approx(0.4, abs=0.003), pytest.approx(0.5, abs=0.02))
    assert kept == pytest.approx(0.5 / 48, abs=0.01)
    assert random == pytest.approx(0.5, abs=0.02)


class _Ids:
    """The least that transformers' collator asks of a tokenizer."""

    mask_token, mask_token_id, pad_token_id = "[MASK]", MASK, PAD

    def __len__(self):
        return SIZE

    def get_special_tokens_mask(self, ids, already_has_special_tokens):
        return [int(i < FIRST_TEXT) for i in ids]

    def convert_tokens_to_ids(self, token):
        return MASK


def test_the_statistics_are_those_of_transformers_collator():
    collator = DataCollatorForLanguageModeling(
        tokenizer=_Ids(), mlm_probability=0.15, return_tensors="pt", seed=3
    )
    whole = torch.tensor(np.stack([[CLS, *row.arrays[0], SEP] for row in rows()]))
    inputs, labels = collator.torch_mask_tokens(whole.clone())
    theirs = shares({"input_ids": inputs, "labels": labels})
    ours = shares(batch_of(rows()))
    # Theirs draws random tokens from all ids, special ones included, ours from text.
    for one, other, tolerance in zip(ours, theirs, (0.005, 0.02, 0.02, 0.02), strict=True):
        assert one == pytest.approx(other, abs=tolerance)


def test_special_tokens_are_never_guessed_and_never_drawn():
    found = rows(50)
    for row in found:
        row.arrays[0][10], row.arrays[0][20] = EOS, SEP
    batch = batch_of(found, mask_share=0.9, replace_share=0.0, random_share=1.0)
    labels, inputs = batch["labels"], batch["input_ids"]
    assert (labels[:, [0, 11, 21, -1]] == IGNORE_INDEX).all()
    assert (inputs[:, [0, 11, 21, -1]] == torch.tensor([CLS, EOS, SEP, SEP])).all()
    assert (inputs[labels != IGNORE_INDEX] >= FIRST_TEXT).all()


def test_every_place_is_guessed_as_often_as_any_other():
    hidden = (batch_of(rows(4000))["labels"] != IGNORE_INDEX).double().mean(0)[1:-1]
    assert (hidden - 0.15).abs().max() < 0.03  # six standard deviations of 4,000 draws


def words(ids):
    """Return for each text token of a row the number of its word."""
    return np.cumsum(~np.isin(ids, np.arange(FIRST_TEXT + 1, SIZE, 2)))


def test_whole_words_are_hidden_whole():
    found = rows()
    labels = batch_of(found, whole_words=True)["labels"].numpy()[:, 1:-1]
    num_long = 0
    for row, hidden in zip(found, labels != IGNORE_INDEX, strict=True):
        number = words(row.arrays[0])
        number = number - (number[0] > 0)  # a row may begin inside a word
        sizes, taken = np.bincount(number), np.bincount(number, hidden)
        assert np.isin(taken / np.maximum(1, sizes), [0, 1]).all()
        num_long += int(((sizes > 1) & (taken > 0)).sum())
    assert num_long > MANY
    assert (labels != IGNORE_INDEX).mean() == pytest.approx(0.15, abs=0.005)


def test_pieces_alone_break_words_up():
    labels = batch_of(rows(50))["labels"].numpy()[:, 1:-1]
    number = words(rows(1)[0].arrays[0])
    taken = np.bincount(number, labels[0] != IGNORE_INDEX) / np.maximum(1, np.bincount(number))
    assert ((taken > 0) & (taken < 1)).any()


def test_dynamic_masking_changes_with_each_draw_of_a_row_and_static_masking_does_not():
    for kind, is_same in (("dynamic", False), ("static", True)):
        # Rows 0 to 49 are drawn again as samples 50 to 99.
        once, again = (batch_of(rows(50, first), masking=kind) for first in (0, 50))
        assert torch.equal(once["labels"], again["labels"]) == is_same
        assert torch.equal(once["input_ids"], again["input_ids"]) == is_same


def test_a_row_of_one_token_is_guessed_and_a_row_without_text_is_left_alone():
    batch = batch_of([Row(0, 0, (np.array([20]),)), Row(1, 1, (np.array([EOS, EOS]),))])
    assert (batch["labels"] != IGNORE_INDEX).sum(1).tolist() == [1, 0]


def test_shares_that_make_more_than_one_are_refused():
    with pytest.raises(ValueError, match=r"replace_share \(0.8\) and random_share \(0.5\) make more than 1"):
        Masked(random_share=0.5)


@pytest.mark.parametrize("family", [Bert, Roberta], ids=["bert", "roberta"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_texts_apart_are_read_as_if_each_stood_alone(family, attention):
    torch.manual_seed(0)
    model = family(num_layers=2, num_heads=2, hidden_size=16).build(VOCABULARY, LENGTH).eval()
    model.set_attn_implementation(attention)
    one, other = text(9, 1), text(14, 2)
    objective, frame = Masked(masking="static"), FRAME._replace(sequence_length=40)
    packed = objective.make_batch([Row(0, 0, (one, other))], frame)
    changed = objective.make_batch([Row(0, 0, (text(9, 3), other))], frame)
    logits = [model(**objective.inputs(model, batch)).logits for batch in (packed, changed)]
    second = slice(10, 24)
    assert torch.equal(packed["input_ids"][0, second], changed["input_ids"][0, second])
    torch.testing.assert_close(logits[0][0, second], logits[1][0, second])
    assert not torch.allclose(logits[0][0, :10], logits[1][0, :10])
    positions = objective.inputs(model, packed)["position_ids"][0]
    assert positions[10] == positions[0]


def test_tokenizers_of_every_kind_tell_where_words_begin(tmp_path):
    from raylm.data.tokenizers.byte_bpe import ByteBpe
    from raylm.data.tokenizers.unigram import Unigram
    from raylm.data.tokenizers.wordpiece import WordPiece
    from raylm.kernels.masking import word_numbers

    corpus = "The unbelievable cats, undeniably, didn't understand misunderstandings.\nNaïve façades! "
    for kind in (ByteBpe, Unigram, WordPiece):
        trained = kind(vocab_size=380 if kind is WordPiece else 300, special_tokens="bert").train(
            iter([corpus])
        )
        ids = np.array(trained.encode(corpus))
        numbers = word_numbers(ids, trained.vocabulary())
        pieces = trained.pieces(corpus)
        spans = {}
        for piece, number in zip(pieces, numbers.tolist(), strict=True):
            first, last = spans.get(number, (piece.start, piece.stop))
            spans[number] = (min(first, piece.start), max(last, piece.stop))
        found = {corpus[first:last].strip() for first, last in spans.values()} - {""}
        assert {"The", "unbelievable", "cats", "undeniably", "Naïve", "façades", ","} <= found, kind
        trained.save(tmp_path / kind.__name__)
        assert isinstance(
            PreTrainedTokenizerFast.from_pretrained(tmp_path / kind.__name__).mask_token_id, int
        )
