"""Attention text by text gives what attention under a mask gives, and leaves every other mask alone."""

import pytest
import torch
from transformers import MistralConfig, MistralForCausalLM

from raylm.config import discover
from raylm.kernels.packed import packed
from raylm.kernels.record_attention import NAME, attend_text_by_text
from raylm.models import ModelFamily, Vocabulary

discover("raylm.models")
VOCABULARY = Vocabulary(61, eos_token_id=0, pad_token_id=1)
LENGTH = 24
SHAPE = {"num_layers": 2, "num_heads": 4, "hidden_size": 32}
DECODERS = [("gpt2", SHAPE), ("llama", SHAPE), ("llama", {**SHAPE, "num_key_value_heads": 2})]


def pair(kind: str, shape: dict):
    """Return the same model twice, the second attending text by text."""
    models = []
    for _ in range(2):
        torch.manual_seed(0)
        family = ModelFamily.model_validate({"kind": kind, **shape})
        models.append(family.build(VOCABULARY, LENGTH, "causal"))
    attend_text_by_text(models[1])
    assert models[1].config._attn_implementation == NAME
    return models


def packed_rows(*lengths: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Return rows that hold texts of so many inputs each."""
    generator = torch.Generator().manual_seed(1)
    rows = [
        [torch.randint(2, 61, (each + 1,), generator=generator).numpy() for each in row] for row in lengths
    ]
    return {name: torch.from_numpy(each) for name, each in packed(rows, LENGTH).items()}


def read(model, batch, **more) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    inputs = {name: each for name, each in batch.items() if name != "labels"}
    logits = model(**inputs, use_cache=False, **more).logits
    logits.square().mean().backward()
    return logits.detach(), {name: weight.grad for name, weight in model.named_parameters()}


@pytest.mark.parametrize(("kind", "shape"), DECODERS)
@pytest.mark.parametrize(
    "lengths", [((10, 14), (24,)), ((1, 1, 22), (7, 9)), ((24,), (20,))], ids=["two", "padded", "one each"]
)
def test_logits_and_gradients_are_those_of_a_mask(kind, shape, lengths):
    batch = packed_rows(*lengths)
    (wanted, gradients), (found, other_gradients) = (read(model, batch) for model in pair(kind, shape))
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(other_gradients[name], gradient, atol=1e-7, rtol=1e-4)


@pytest.mark.parametrize(("kind", "shape"), DECODERS)
def test_a_mask_that_says_more_is_taken_as_it_is(kind, shape):
    batch = packed_rows((10, 14), (7, 9))
    is_token = torch.ones(2, LENGTH, dtype=torch.long)
    is_token[1, 16:] = 0
    is_seen = torch.ones(2, 1, LENGTH, LENGTH, dtype=torch.bool).tril(3)  # a prefix sees what follows it
    for mask in (is_token, is_seen):
        (wanted, _), (found, _) = (read(model, batch, attention_mask=mask) for model in pair(kind, shape))
        torch.testing.assert_close(found, wanted)


def test_a_window_over_packed_rows_is_kept():
    config = MistralConfig(
        vocab_size=61, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=LENGTH, sliding_window=5,
    )  # fmt: skip
    models = []
    for _ in range(2):
        torch.manual_seed(0)
        models.append(MistralForCausalLM(config))
    attend_text_by_text(models[1])
    assert models[1].config._attn_implementation == NAME
    batch = packed_rows((10, 14), (7, 9))
    (wanted, _), (found, _) = (read(model, batch) for model in models)
    torch.testing.assert_close(found, wanted)


def test_no_pair_of_tokens_is_computed_that_is_not_seen(monkeypatch):
    from torch.nn import functional as F

    computed = []
    attention = F.scaled_dot_product_attention

    def counted(query, key, value, **settings):
        assert settings["attn_mask"] is None
        assert settings["is_causal"] or query.shape[2] == 1
        computed.append(query.shape[2])
        return attention(query, key, value, **settings)

    monkeypatch.setattr(F, "scaled_dot_product_attention", counted)
    read(pair("llama", {**SHAPE, "num_layers": 1})[1], packed_rows((10, 14), (1, 23)))
    assert computed == [10, 14, 1, 23]
