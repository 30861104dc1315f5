"""A model's logits where there is something to predict, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel


def label_logits(model: PreTrainedModel, inputs: Mapping[str, Any], is_label: Tensor) -> Tensor:
    """Run a model and return the logits (N, V) of the N places that count, row by row.

    The output head sees these places alone: where one of a hundred tokens is asked for, that is a hundredth
    of its work and memory.

    Args:
        model: any of transformers with an output head.
        inputs: what its forward takes.
        is_label: (B, T), true where a logit is wanted; of the shape of the model's logits.
    """

    def pick(_: Any, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        hidden = arguments[0]
        return (hidden[is_label],) if hidden.shape[:2] == is_label.shape else None

    head = model.get_output_embeddings()
    handle = None if head is None else head.register_forward_pre_hook(pick)
    try:
        output = model(**inputs)
    finally:
        if handle is not None:
            handle.remove()
    logits = getattr(output, "logits", None)
    logits = output.prediction_logits if logits is None else logits  # of a model that also judges pairs
    return logits if logits.dim() == 2 else logits[is_label]  # noqa: PLR2004 - picked already
