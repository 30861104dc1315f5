"""GPT and Llama continue a text as transformers does, and go on past their context."""

import pytest
import torch

from raylm.config.errors import BadInput
from raylm.engine.generation import Decoding, texts_of
from raylm.engine.generation.causal import Causal

CONTEXT = 32  # the tiny recipe's sequence_length
PROMPT = "First Cit"


@pytest.fixture(params=["gpt2", "llama"])
def restored(checkpoint_of, request):
    return checkpoint_of(request.param)


def text_of(restored, prompt: str = PROMPT, **decoding) -> str:
    return texts_of(restored, [prompt], Decoding(**decoding))[0]


def ids_of(restored, prompt: str = PROMPT):
    return restored.tokenizer(prompt, return_tensors="pt", add_special_tokens=False).input_ids


def test_greedy_text_is_what_transformers_generates(restored):
    ids = ids_of(restored)
    num_new = CONTEXT - ids.shape[1]
    theirs = restored.model.generate(ids, do_sample=False, max_new_tokens=num_new, pad_token_id=0)
    expected = restored.tokenizer.decode(theirs[0, ids.shape[1] :])
    assert text_of(restored, temperature=0, max_new_tokens=num_new) == expected
    assert len(expected) >= num_new


@pytest.mark.parametrize("num_beams", [2, 4])
def test_a_search_finds_what_transformers_finds(restored, num_beams):
    ids = ids_of(restored)
    theirs = restored.model.generate(
        ids, do_sample=False, num_beams=num_beams, max_new_tokens=10, pad_token_id=0
    )
    expected = restored.tokenizer.decode(theirs[0, ids.shape[1] :], skip_special_tokens=True)
    # Half a character at the end is not shown.
    assert text_of(restored, num_beams=num_beams, max_new_tokens=10) == expected.rstrip("\ufffd")


def test_a_search_past_the_context_is_refused_with_what_there_is_room_for(restored):
    room = CONTEXT - ids_of(restored).shape[1]
    assert text_of(restored, num_beams=2, max_new_tokens=room)
    with pytest.raises(BadInput, match=f"max_new_tokens: .*32 tokens.*try {room}"):
        text_of(restored, num_beams=2, max_new_tokens=room + 1)


def test_past_the_context_the_oldest_tokens_are_left_out(restored):
    ids = ids_of(restored)[0].tolist()
    num_prompt = len(ids)
    for _ in range(60):
        with torch.no_grad():
            ids.append(int(restored.model(torch.tensor([ids[-CONTEXT:]])).logits[0, -1].argmax()))
    expected = restored.tokenizer.decode(ids[num_prompt:])
    assert text_of(restored, temperature=0, max_new_tokens=60) == expected


@pytest.mark.parametrize("length", [1, CONTEXT - 1, CONTEXT, CONTEXT + 1, 3 * CONTEXT])
def test_a_prompt_of_any_length_is_continued(checkpoint_of, length):
    prompt = ("to be or " * 20)[:length]
    assert len(text_of(checkpoint_of("gpt2"), prompt, max_new_tokens=3, temperature=0)) == 3


def test_without_a_prompt_the_text_begins_a_document(restored):
    assert text_of(restored, "", max_new_tokens=5, seed=0)


def test_the_text_ends_where_the_model_ends_it(checkpoint_of, monkeypatch):
    restored = checkpoint_of("gpt2")
    letter = ids_of(restored, "a")[0, 0]
    wanted = [letter, restored.tokenizer.eos_token_id, letter]

    def said(_self, _read, _written):
        for id_ in wanted:
            yield torch.nn.functional.one_hot(torch.tensor([id_]), len(restored.tokenizer)).float()

    monkeypatch.setattr(Causal, "logits", said)
    assert text_of(restored, temperature=0) == "a"


def test_a_prompt_that_is_done_leaves_the_others_as_they_are(checkpoint_of, monkeypatch):
    restored = checkpoint_of("gpt2")
    prompts = [PROMPT, "To be or not"]
    greedy = Decoding(temperature=0, max_new_tokens=40)
    expected = texts_of(restored, prompts, greedy)
    end, logits = restored.tokenizer.eos_token_id, Causal.logits

    def first_ends_at_the_third(self, read, written):
        for step, scores in enumerate(logits(self, read, written)):
            says_end = torch.zeros_like(scores)
            says_end[0, end] = 1e6 if step == 2 else 0
            yield scores + says_end

    monkeypatch.setattr(Causal, "logits", first_ends_at_the_third)
    assert texts_of(restored, prompts, greedy) == [expected[0][:2], expected[1]]
