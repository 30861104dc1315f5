"""Tokens are drawn as often as they are likely, from what is kept."""

import pytest
import torch

from raylm.config.errors import BadInput
from raylm.engine.generation.decoding import Decoding
from raylm.engine.generation.sampling import choose

LOGITS = torch.log(torch.tensor([0.05, 0.4, 0.1, 0.3, 0.15]))


def drawn(**decoding) -> set[int]:
    generator = torch.Generator().manual_seed(0)
    return {choose(LOGITS, Decoding(**decoding), generator) for _ in range(500)}


@pytest.mark.parametrize(
    ("decoding", "kept"),
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
def test_only_the_likeliest_tokens_are_kept(decoding, kept):
    assert drawn(**{"temperature": 1.0, **decoding}) == kept


def test_tokens_are_drawn_as_often_as_they_are_likely():
    generator = torch.Generator().manual_seed(0)
    draws = [choose(LOGITS, Decoding(temperature=1.0), generator) for _ in range(4000)]
    shares = torch.bincount(torch.tensor(draws), minlength=5) / len(draws)
    torch.testing.assert_close(shares, LOGITS.exp(), atol=0.03, rtol=0)


def test_a_low_temperature_prefers_the_likeliest_token_more():
    generator = torch.Generator().manual_seed(0)
    draws = [choose(LOGITS, Decoding(temperature=0.3), generator) for _ in range(1000)]
    assert draws.count(1) / len(draws) == pytest.approx(
        0.4 ** (1 / 0.3) / float((LOGITS / 0.3).exp().sum()), abs=0.05
    )


@pytest.mark.parametrize("temperature", [1e-300, 1e-8, 1e-4])
def test_the_coldest_draw_is_the_likeliest_token(temperature):
    assert drawn(temperature=temperature) == {1}


def test_a_model_that_has_diverged_is_said_to_have():
    with pytest.raises(BadInput, match="it has diverged; take an earlier checkpoint"):
        choose(torch.tensor([0.0, float("nan")]), Decoding(), torch.Generator())
