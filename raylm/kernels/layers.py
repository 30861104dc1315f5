"""Which layer each weight belongs to, so that lower layers may learn more slowly."""

from __future__ import annotations

import re
from collections.abc import Iterable

from torch import nn

# transformers' names of a stack of blocks: BERT's layer, GPT-2's h, Llama's layers, T5's block.
_BLOCK = re.compile(r"(?:^|\.)(?:layers?|h|blocks?)\.(\d+)\.")
_EMBEDDING = re.compile(r"(?:^|\.)(?:embed|wte|wpe|shared|word_embedding)")


def rate_shares(model: nn.Module, decay: float) -> dict[float, list[nn.Parameter]]:
    """Return the trained weights by the share of the learning rate at which they learn.

    The head has the whole rate, the last block decay of it, the block below decay of that; embeddings come
    after the first block (Clark et al. 2020, section 3.1).
    """
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if decay == 1:
        return {1.0: list(trained.values())}
    num_blocks = _num_blocks(trained)
    shares: dict[float, list[nn.Parameter]] = {}
    for name, weight in trained.items():
        depth = _depth(name, num_blocks)
        shares.setdefault(decay ** (num_blocks + 1 - depth), []).append(weight)
    return shares


def _num_blocks(names: Iterable[str]) -> int:
    numbers = [int(found[1]) for name in names if (found := _BLOCK.search(name))]
    return max(numbers, default=-1) + 1


def _depth(name: str, num_blocks: int) -> int:
    """Return 0 for embeddings, 1 and on for the blocks, one more than the last for the head."""
    if found := _BLOCK.search(name):
        return int(found[1]) + 1
    return 0 if _EMBEDDING.search(name) else num_blocks + 1
