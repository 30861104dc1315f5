"""Attention masks that transformers takes as they are: who may look at whom, by place."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedModel


def mask_for(model: PreTrainedModel, may_look: Tensor) -> Tensor:
    """Return a mask (B, 1, T, T) in the form that the model's attention wants.

    Args:
        model: any of transformers.
        may_look: (B, T, T), true where the token of the second index may look at that of the third.
    """
    may_look = may_look.unsqueeze(1)
    if model.config._attn_implementation != "eager":  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        return may_look
    dtype = model.get_input_embeddings().weight.dtype
    blocked = torch.finfo(dtype).min  # pyright: ignore[reportArgumentType]
    return torch.zeros_like(may_look, dtype=dtype).masked_fill(~may_look, blocked)  # pyright: ignore[reportArgumentType]


def text_inputs(model: PreTrainedModel, texts: Tensor) -> dict[str, Tensor]:
    """Return the inputs that keep the texts of a row apart: attention stays inside, positions begin anew.

    Args:
        model: one whose positions are learned or rotary.
        texts: the number of each token's text (B, T), ascending from 1; 0 is padding.
    """
    same = texts.unsqueeze(2) == texts.unsqueeze(1)
    places = torch.arange(texts.shape[1], device=texts.device)
    is_first = torch.ones_like(texts, dtype=torch.bool)
    is_first[:, 1:] = texts[:, 1:] != texts[:, :-1]
    starts = torch.where(is_first, places, 0).cummax(1).values
    first_position = _first_position(model)
    return {"attention_mask": mask_for(model, same), "position_ids": places - starts + first_position}


def _first_position(model: PreTrainedModel) -> int:
    """Return the position of a text's first token: RoBERTa's count from behind the padding's id."""
    offset = getattr(model.base_model.embeddings, "padding_idx", None)
    is_offset = "roberta" in model.config.model_type
    return offset + 1 if is_offset and offset is not None else 0
