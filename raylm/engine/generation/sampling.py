"""The choice of the next token."""

from __future__ import annotations

import torch
from torch import Tensor

from raylm.config.errors import BadInput
from raylm.engine.generation.decoding import Decoding

_COLDEST = 1e-5  # below, no token but the likeliest has a chance that float32 can hold


def random_numbers(decoding: Decoding, number: int) -> torch.Generator:
    """Return the random numbers of one prompt: what is written to it does not depend on the others.

    They are the CPU's, so that a seed gives the same text on every device.
    """
    generator = torch.Generator()
    if decoding.seed is None:
        generator.seed()
    else:
        generator.manual_seed(decoding.seed + number)
    return generator


def choose(logits: Tensor, decoding: Decoding, generator: torch.Generator) -> int:
    """Return the next id from logits (V,): the likeliest at temperature 0, else drawn from what is kept."""
    if logits.isnan().any():
        raise BadInput.one(
            "run", "the model computes no numbers: it has diverged", "take an earlier checkpoint", code="nan"
        )
    if decoding.temperature < _COLDEST:
        return int(logits.argmax())
    ordered, ids = ((logits - logits.max()) / decoding.temperature).sort(descending=True)
    if decoding.top_k:
        ordered, ids = ordered[: decoding.top_k], ids[: decoding.top_k]
    shares = ordered.softmax(-1)
    if decoding.top_p is not None:
        # The first token always stays: what counts is the sum before each.
        shares = shares.masked_fill(shares.cumsum(-1) - shares >= decoding.top_p, 0.0)
    return int(ids[torch.multinomial(shares, 1, generator=generator)])
