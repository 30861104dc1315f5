"""The loss of a language model's output head, for every model of transformers that has one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from raylm.kernels.frame import IGNORE_INDEX
from raylm.kernels.linear_cross_entropy import linear_cross_entropy

# How configurations of transformers call the bound into which a tanh squeezes logits.
_CAPS = ("final_logit_softcapping", "logits_soft_cap", "output_logit_soft_cap")


class HeadLoss(NamedTuple):
    """What a pass of a model gave."""

    total: Tensor
    """Cross-entropy summed over the targets, float32, in nats."""
    output: Any
    """The model's output; where the loss is fused its `logits` are the head's inputs."""


def head_loss(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], labels: Tensor, *, is_sparse: bool = False
) -> HeadLoss:
    """Run a model and return the summed cross-entropy of its logits against the labels.

    Args:
        model: any with an output head.
        inputs: what its forward takes.
        labels: target ids (B, T), of the shape of its logits; -100 is left out.
        is_sparse: whether most labels are left out: the head then sees the others alone.
    """
    head = model.get_output_embeddings()
    if not isinstance(head, nn.Linear) or not _ends_in_its_head(model):
        output = model(**inputs)
        logits = _logits(output).float().flatten(0, -2)
        return HeadLoss(
            F.cross_entropy(logits, labels.flatten(), ignore_index=IGNORE_INDEX, reduction="sum"), output
        )
    with _passed_over(head):
        output = model(**inputs)
    hidden = _logits(output)
    if is_sparse:
        is_target = labels != IGNORE_INDEX
        hidden, labels = hidden[is_target], labels[is_target]
    return HeadLoss(linear_cross_entropy(hidden, head.weight, labels, head.bias), output)


def _logits(output: Any) -> Tensor:
    """Return what the head gave; a model that also judges pairs calls it otherwise."""
    found = getattr(output, "logits", None)
    return output.prediction_logits if found is None else found


def _ends_in_its_head(model: PreTrainedModel) -> bool:
    """Whether the logits are the head's output as it is: Gemma squeezes them, BART adds to them."""
    configs = (model.config, model.config.get_text_config(decoder=True))
    is_capped = any(getattr(config, name, None) for config in configs for name in _CAPS)
    return not is_capped and not hasattr(model, "final_logits_bias")


@contextlib.contextmanager
def _passed_over(head: nn.Module) -> Iterator[None]:
    """Within this block the head gives back what it gets."""
    head.forward = lambda hidden: hidden
    try:
        yield
    finally:
        del head.forward
