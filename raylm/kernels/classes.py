"""Losses of heads that classify, and how many of their verdicts are right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel

from raylm.kernels.frame import IGNORE_INDEX


def class_loss(model: PreTrainedModel, inputs: Mapping[str, Any], labels: Tensor) -> dict[str, Tensor]:
    """Return the summed cross-entropy in nats and the number of right verdicts, both float32.

    Args:
        model: with logits (..., C).
        inputs: what its forward takes.
        labels: class ids (...), -100 where there is none.
    """
    logits = model(**inputs).logits.float().flatten(0, -2)
    flat = labels.flatten()
    is_right = (logits.detach().argmax(-1) == flat) & (flat != IGNORE_INDEX)
    loss = F.cross_entropy(logits, flat, ignore_index=IGNORE_INDEX, reduction="sum")
    return {"loss": loss, "accuracy": is_right.sum().float()}


def marks_loss(model: PreTrainedModel, inputs: Mapping[str, Any], labels: Tensor) -> dict[str, Tensor]:
    """Return binary cross-entropies averaged over the classes and summed over rows, and rows all right.

    Args:
        model: with logits (B, C).
        inputs: what its forward takes.
        labels: pairs of a row and a class that it has, (K, 2).
    """
    logits = model(**inputs).logits.float()
    marks = torch.zeros_like(logits)
    marks[labels[:, 0], labels[:, 1]] = 1.0
    loss = F.binary_cross_entropy_with_logits(logits, marks, reduction="none").mean(-1).sum()
    is_right = ((logits.detach() > 0) == (marks > 0)).all(-1)
    return {"loss": loss, "accuracy": is_right.sum().float()}


def span_loss(model: PreTrainedModel, inputs: Mapping[str, Any], labels: Tensor) -> dict[str, Tensor]:
    """Return the mean cross-entropy of first and last token summed over rows, and spans that are right.

    Args:
        model: with start and end logits (B, L).
        inputs: what its forward takes.
        labels: first and last place of each row's answer (B, 2).
    """
    output = model(**inputs)
    # A padded place can hold no answer.
    hidden = inputs["attention_mask"] == 0
    ends = [each.float().masked_fill(hidden, -torch.inf) for each in (output.start_logits, output.end_logits)]
    first, last = (F.cross_entropy(each, labels[:, side], reduction="sum") for side, each in enumerate(ends))
    is_right = [each.detach().argmax(-1) == labels[:, side] for side, each in enumerate(ends)]
    return {"loss": (first + last) / 2, "accuracy": (is_right[0] & is_right[1]).sum().float()}
