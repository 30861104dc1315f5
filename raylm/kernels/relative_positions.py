"""What an XLNet of transformers needs before it is trained."""

from __future__ import annotations

from typing import Any

from torch import nn
from transformers import PreTrainedModel, XLNetLMHeadModel

_PLACE = 4  # of the positions among the arguments of transformers' attention


def fit_for_training(model: PreTrainedModel) -> None:
    """Make an XLNet of transformers quicker, and leave no weight of it waiting for a gradient."""
    share_positions(model)
    if not isinstance(model, XLNetLMHeadModel):
        # The start of the query stream, which only predicting words in any order has: a weight that no loss
        # reaches is waited for in vain where gradients are exchanged.
        base: Any = model.base_model
        base.mask_emb.requires_grad_(False)  # noqa: FBT003 - torch takes it by place


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
