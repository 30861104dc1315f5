"""Generated text is the model's own, repeats with its seed, and never shows half a character."""

import pytest
import torch

from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.engine import generate
from raylm.engine.generate import Sampling, choose, stream
from raylm.engine.restore import restore
from tests.tiny import tiny_recipe, train_alone

CONTEXT = 32  # the tiny recipe's sequence_length
PROMPT = "First Cit"


@pytest.fixture(scope="module")
def restored(tmp_path_factory):
    storage = str(tmp_path_factory.mktemp("generate"))
    return restore(train_alone(tiny_recipe(checkpoint={"every_steps": 20}), storage, "text"))


def text_of(restored, prompt: str = PROMPT, **sampling) -> str:
    return "".join(stream(restored.model, restored.tokenizer, prompt, Sampling(**sampling)))


def test_greedy_text_is_what_transformers_generates(restored):
    ids = restored.tokenizer(PROMPT, return_tensors="pt", add_special_tokens=False).input_ids
    num_new = CONTEXT - ids.shape[1]
    theirs = restored.model.generate(ids, do_sample=False, max_new_tokens=num_new, pad_token_id=0)
    expected = restored.tokenizer.decode(theirs[0, ids.shape[1] :])
    assert text_of(restored, temperature=0, max_new_tokens=num_new) == expected
    assert len(expected) == num_new


def test_past_the_context_the_oldest_tokens_are_left_out(restored):
    ids = restored.tokenizer.encode(PROMPT, add_special_tokens=False)
    num_prompt = len(ids)
    for _ in range(60):
        with torch.no_grad():
            ids.append(int(restored.model(torch.tensor([ids[-CONTEXT:]])).logits[0, -1].argmax()))
    expected = restored.tokenizer.decode(ids[num_prompt:])
    assert text_of(restored, temperature=0, max_new_tokens=60) == expected


@pytest.mark.parametrize("length", [1, CONTEXT - 1, CONTEXT, CONTEXT + 1, 3 * CONTEXT])
def test_a_prompt_of_any_length_is_continued(restored, length):
    assert len(text_of(restored, ("to be or " * 20)[:length], max_new_tokens=3, temperature=0)) == 3


def test_without_a_prompt_the_text_begins_a_document(restored):
    assert text_of(restored, "", max_new_tokens=5, seed=0)


def test_a_seed_repeats_a_text_and_another_seed_gives_another(restored):
    one, same, other = (
        text_of(restored, temperature=1.0, seed=seed, max_new_tokens=40) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_generating_leaves_the_shared_random_numbers_alone(restored):
    before = torch.get_rng_state()
    text_of(restored, max_new_tokens=5)
    assert torch.equal(before, torch.get_rng_state())


def test_the_text_ends_where_the_model_ends_it(restored, monkeypatch):
    letter, end = restored.tokenizer.encode("a", add_special_tokens=False)[0], restored.tokenizer.eos_token_id
    monkeypatch.setattr(generate, "_tokens", lambda *_: iter([letter, end, letter]))
    assert text_of(restored) == "a"


LOGITS = torch.log(torch.tensor([0.05, 0.4, 0.1, 0.3, 0.15]))


def drawn(**sampling) -> set[int]:
    generator = torch.Generator().manual_seed(0)
    return {choose(LOGITS, Sampling(**sampling), generator) for _ in range(500)}


@pytest.mark.parametrize(
    ("sampling", "kept"),
    [
        ({}, {0, 1, 2, 3, 4}),
        ({"top_k": 1}, {1}),
        ({"top_k": 3}, {1, 3, 4}),
        ({"top_k": 99}, {0, 1, 2, 3, 4}),
        ({"top_p": 1e-6}, {1}),
        ({"top_p": 0.5}, {1, 3}),  # 0.4 is not enough, 0.7 is
        ({"top_p": 0.75}, {1, 3, 4}),
        ({"top_p": 1.0}, {0, 1, 2, 3, 4}),
        ({"top_k": 2, "top_p": 0.99}, {1, 3}),
        ({"top_k": 3, "top_p": 0.4}, {1}),  # of the three, the first holds 0.47
        ({"temperature": 0.0}, {1}),
    ],
)
def test_only_the_likeliest_tokens_are_kept(sampling, kept):
    assert drawn(**{"temperature": 1.0, **sampling}) == kept


def test_tokens_are_drawn_as_often_as_they_are_likely():
    generator = torch.Generator().manual_seed(0)
    draws = [choose(LOGITS, Sampling(temperature=1.0), generator) for _ in range(4000)]
    shares = torch.bincount(torch.tensor(draws), minlength=5) / len(draws)
    torch.testing.assert_close(shares, LOGITS.exp(), atol=0.03, rtol=0)


def test_a_low_temperature_prefers_the_likeliest_token_more():
    generator = torch.Generator().manual_seed(0)
    draws = [choose(LOGITS, Sampling(temperature=0.3), generator) for _ in range(1000)]
    assert draws.count(1) / len(draws) == pytest.approx(
        0.4 ** (1 / 0.3) / float((LOGITS / 0.3).exp().sum()), abs=0.05
    )


@pytest.fixture(scope="module")
def byte_tokenizer(tmp_path_factory):
    """Return a tokenizer without merges, so that each byte is a token."""
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("bytes")
    ByteBpe(vocab_size=258).train(iter(["x"])).save(folder)
    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize(
    "text", ["plain , text .", "ﬁne é", "naïve 🙂🙂 日本語", "a\ufffdb", "👩‍👩‍👧 family", "line\n  break"]
)
def test_a_piece_never_ends_inside_a_character(restored, byte_tokenizer, monkeypatch, text):
    ids = byte_tokenizer.encode(text, add_special_tokens=False)
    assert len(ids) == len(text.encode())
    monkeypatch.setattr(generate, "_tokens", lambda *_: iter(ids))
    pieces = list(stream(restored.model, byte_tokenizer, "x", Sampling()))
    assert "".join(pieces) == text
    assert all("\ufffd" not in piece for piece in pieces if "\ufffd" not in text)


def test_half_a_character_at_the_end_is_not_shown(restored, byte_tokenizer, monkeypatch):
    ids = byte_tokenizer.encode("ab🙂", add_special_tokens=False)[:-1]
    monkeypatch.setattr(generate, "_tokens", lambda *_: iter(ids))
    assert list(stream(restored.model, byte_tokenizer, "x", Sampling())) == ["a", "b"]
