"""BERT and RoBERTa fill masks with what transformers' pipeline finds."""

import pytest
from transformers import BertForPreTraining, pipeline

from raylm.config.errors import BadInput
from raylm.engine.generation import Decoding, generate, texts_of

PROMPTS = {
    "bert": ["First Citizen: we are [MASK] to die", "[MASK] all", "speak [MASK]"],
    "roberta": ["First Citizen: we are<mask> to die", "<mask> all", "speak<mask>"],
}


def filled(source, prompt: str, **decoding):
    (chunk,) = generate(source, [prompt], Decoding(**decoding))
    assert chunk.is_last
    return chunk


@pytest.mark.parametrize("family", PROMPTS)
def test_candidates_and_probabilities_are_those_of_transformers_pipeline(checkpoint_of, family):
    restored = checkpoint_of(family)
    theirs = pipeline("fill-mask", model=restored.model, tokenizer=restored.tokenizer, top_k=7)
    for prompt in PROMPTS[family]:
        expected, (ours,) = theirs(prompt), filled(restored, prompt, top_predictions=7).details["masks"]
        assert [one["token_id"] for one in ours] == [one["token"] for one in expected]
        assert [one["probability"] for one in ours] == pytest.approx([one["score"] for one in expected])


@pytest.mark.parametrize("family", PROMPTS)
def test_several_masks_are_each_filled_as_if_the_others_stayed(checkpoint_of, family):
    restored = checkpoint_of(family)
    theirs = pipeline("fill-mask", model=restored.model, tokenizer=restored.tokenizer, top_k=1)
    mask = restored.tokenizer.mask_token
    prompt = f"we{mask} resolved to{mask} rather"
    expected, ours = theirs(prompt), filled(restored, prompt, top_predictions=1).details["masks"]
    assert [one[0]["token_id"] for one in ours] == [one[0]["token"] for one in expected]


def test_a_model_with_two_heads_fills_masks_with_the_one_that_can(checkpoint_of):
    model, tokenizer, *_ = checkpoint_of("bert")
    pretraining = BertForPreTraining(model.config)
    pretraining.bert.load_state_dict(model.bert.state_dict(), strict=False)
    pretraining.cls.predictions.load_state_dict(model.cls.predictions.state_dict())
    assert texts_of((pretraining, tokenizer), PROMPTS["bert"]) == texts_of(
        (model, tokenizer), PROMPTS["bert"]
    )


@pytest.mark.parametrize("family", PROMPTS)
def test_either_word_for_a_mask_is_understood(checkpoint_of, family):
    one, other = (filled(checkpoint_of(family), f"we are {word} to die") for word in ("[MASK]", "<mask>"))
    assert one == other


def test_the_space_before_a_mask_belongs_to_the_word_that_is_missing(checkpoint_of):
    restored = checkpoint_of("roberta")
    assert filled(restored, "we are <mask> to die") == filled(restored, "we are<mask> to die")


@pytest.mark.parametrize(
    ("family", "token", "text"),
    [
        ("bert", "the", "we are the to die"),
        ("bert", "##s", "we ares to die"),
        ("bert", ",", "we are , to die"),
        ("roberta", "Ġthe", "we are the to die"),
        ("roberta", "s", "we ares to die"),
    ],
)
def test_the_likeliest_word_is_put_in_as_it_is_written(checkpoint_of, monkeypatch, family, token, text):
    restored = checkpoint_of(family)
    wanted = restored.tokenizer.convert_tokens_to_ids(token)
    assert wanted != restored.tokenizer.unk_token_id
    forward = type(restored.model).forward

    def sure(self, **inputs):
        output = forward(self, **inputs)
        output.logits[..., wanted] = 1e4
        return output

    monkeypatch.setattr(type(restored.model), "forward", sure)
    assert filled(restored, "we are [MASK] to die").text == text


@pytest.mark.parametrize(
    ("prompt", "decoding", "says"),
    [
        ("we are", {}, r"prompt: holds no mask, .*; write \[MASK\] for each word"),
        ("[MASK] " + "a " * 40, {}, "prompt: has 43 tokens, of which the model reads 32 at most"),
        ("[MASK]", {"num_beams": 2}, "num_beams: BertForMaskedLM fills masks in one pass"),
    ],
)
def test_what_cannot_be_filled_is_refused_with_the_way_out(checkpoint_of, prompt, decoding, says):
    with pytest.raises(BadInput, match=says):
        filled(checkpoint_of("bert"), prompt, **decoding)


def test_the_prompt_without_a_mask_is_named_among_several(checkpoint_of):
    with pytest.raises(BadInput, match=r"prompts\.1: holds no mask"):
        texts_of(checkpoint_of("bert"), ["[MASK]", "none"])
