"""XLNet's relative positions, computed once a batch."""

from __future__ import annotations

from typing import Any

from torch import nn
from transformers import PreTrainedModel

_PLACE = 4  # of the positions among the arguments of transformers' attention


def share_positions(model: PreTrainedModel) -> None:
    """Let the layers of an XLNet project the relative positions once a batch, in the type of their weights.

    transformers repeats them for every row, and in two streams leaves them float32 whatever the weights are.
    """
    layers: Any = model.base_model.layer
    for layer in layers:
        layer.rel_attn.register_forward_pre_hook(_with_one_row)


def _with_one_row(module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    positions = arguments[_PLACE][:, :1].to(module.r.dtype)
    return (*arguments[:_PLACE], positions, *arguments[_PLACE + 1 :])
