"""Attention of rows that hold several texts, text by text: nothing is computed that a mask would hide.

Of packed rows transformers makes a mask, and with a mask a CPU's attention computes every pair of tokens; of
a text alone it computes the pairs that are seen, half of them at most. What comes out is the same.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "raylm_records"
_LENGTHS = "raylm_lengths"  # where a mask carries the lengths of the batch's texts, for all layers


def attend_text_by_text(model: PreTrainedModel) -> None:
    """Let a decoder attend text by text in packed rows, if its attention is one that can be exchanged."""
    if model.config._attn_implementation == "sdpa":  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        AttentionInterface.register(NAME, _attention)
        AttentionMaskInterface.register(NAME, _mask)
        model.set_attn_implementation(NAME)


def _mask(**shape: Any) -> Tensor | None:
    """Return the mask of `sdpa_mask`; where it keeps nothing but texts apart, it knows their lengths."""
    mask = sdpa_mask(**shape)
    if mask is not None and shape["q_length"] == shape["kv_length"]:
        setattr(mask, _LENGTHS, _lengths(mask[:, 0]))
    return mask


def _lengths(mask: Tensor) -> list[int] | None:
    """Return the lengths of the texts that a mask (B, T, T) keeps apart; None where it does more."""
    places = torch.arange(mask.shape[-1], device=mask.device)
    starts = mask.to(torch.uint8).argmax(-1)  # the first token that each one sees
    is_first = torch.ones_like(starts, dtype=torch.bool)
    is_first[:, 1:] = starts[:, 1:] != starts[:, :-1]
    by_text = (places >= starts.unsqueeze(-1)) & (places <= places.unsqueeze(-1))
    if not torch.equal(by_text, mask) or not torch.equal(
        starts[is_first], places.expand_as(starts)[is_first]
    ):
        return None
    firsts = is_first.flatten().nonzero().flatten()
    return firsts.diff(append=firsts.new_tensor([starts.numel()])).tolist()


def _attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **settings: Any,
) -> tuple[Tensor, None]:
    """Return what `sdpa_attention_forward` returns, (B, T, heads, width), and no weights.

    Args:
        module: the layer that asks.
        query: (B, heads, T, width).
        key: (B, key heads, T, width).
        value: (B, key heads, T, width).
        attention_mask: of `_mask`, or any other, which is then taken as it is.
        settings: dropout, scaling and what else the model gives.
    """
    lengths = getattr(attention_mask, _LENGTHS, None)
    if lengths is None or settings.get("position_bias") is not None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **settings)
    texts = zip(_by_text(query, lengths), _by_text(key, lengths), _by_text(value, lengths), strict=True)
    outputs = [sdpa_attention_forward(module, q, k, v, None, **settings)[0] for q, k, v in texts]
    return torch.cat(outputs, dim=1).view(query.shape[0], query.shape[2], *query.shape[1::2]), None


def _by_text(rows: Tensor, lengths: list[int]) -> list[Tensor]:
    """Return (1, heads, t, width) of each text; their gradients are put together by one copy."""
    flat = rows.transpose(1, 2).flatten(0, 1)
    return [text.transpose(0, 1).unsqueeze(0) for text in flat.split(lengths)]
