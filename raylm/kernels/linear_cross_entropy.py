"""Cross-entropy of a linear head, chunk by chunk, so that the logits of a whole batch never exist at once.

The gradient of each chunk is taken while its logits are at hand (as in Liger Kernel, Hsu et al. 2024, section
3.2): memory falls from O(N V) to O(chunk V), and nothing is computed twice.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from raylm.kernels.frame import IGNORE_INDEX

CHUNK_BYTES = {"cpu": 4 << 20, "cuda": 256 << 20}  # float32 logits of one chunk: CPU caches are small


def linear_cross_entropy(
    hidden: Tensor, weight: Tensor, labels: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Return the summed cross-entropy of `hidden @ weight.T + bias` against the labels.

    Args:
        hidden: Last hidden states (..., D), float32 or bfloat16.
        weight: Weights of the head (V, D), in the same type.
        labels: Target ids (...); -100 is left out.
        bias: Of the head (V,), in the same type.

    Returns:
        A float32 scalar: the sum over all targets, in nats.
    """
    hidden, labels = hidden.flatten(0, -2), labels.flatten()
    if torch.is_grad_enabled() and (hidden.requires_grad or weight.requires_grad):
        return _LinearCrossEntropy.apply(hidden, weight, labels, bias)
    return sum(
        (_chunk_loss(hidden[rows], weight, labels[rows], bias)[0] for rows in _chunks(hidden, weight)),
        start=torch.zeros((), device=hidden.device),
    )


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, labels: Tensor, bias: Tensor | None) -> Tensor:
        total = torch.zeros((), device=hidden.device)
        # A frozen head, as beneath an adapter, gets no gradient: a product less, and V x D numbers not kept.
        hidden_grad = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        weight_grad = torch.zeros_like(weight, dtype=torch.float32) if ctx.needs_input_grad[1] else None
        bias_grad = None
        if bias is not None and ctx.needs_input_grad[3]:
            bias_grad = torch.zeros_like(bias, dtype=torch.float32)
        for rows in _chunks(hidden, weight):
            loss, logits_grad = _chunk_loss(hidden[rows], weight, labels[rows], bias)
            total += loss
            if bias_grad is not None:
                bias_grad += logits_grad.sum(0)
            logits_grad = logits_grad.to(hidden.dtype)
            if hidden_grad is not None:
                torch.mm(logits_grad, weight, out=hidden_grad[rows])
            if weight_grad is not None:
                weight_grad += logits_grad.t() @ hidden[rows]
        ctx.save_for_backward(
            hidden_grad,
            None if weight_grad is None else weight_grad.to(weight.dtype),
            None if bias_grad is None else bias_grad.to(weight.dtype),
        )
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None, Tensor | None]:
        hidden, weight, bias = (
            None if grad is None else grad * grad_outputs[0].to(grad.dtype) for grad in ctx.saved_tensors
        )
        return hidden, weight, None, bias


def _chunks(hidden: Tensor, weight: Tensor) -> list[slice]:
    bytes_per_row = 4 * weight.shape[0]
    size = max(64, CHUNK_BYTES.get(hidden.device.type, CHUNK_BYTES["cuda"]) // bytes_per_row)
    return [slice(start, start + size) for start in range(0, hidden.shape[0], size)]


def _chunk_loss(hidden: Tensor, weight: Tensor, labels: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the summed loss of one chunk and, in the logits' own memory, its gradient (N, V) in float32."""
    logits = F.linear(hidden, weight, bias).float()
    is_target = labels != IGNORE_INDEX
    targets = labels.clamp_min(0).unsqueeze(1)
    log_norm = torch.logsumexp(logits, dim=-1, keepdim=True)
    losses = (log_norm - logits.gather(1, targets)).squeeze(1)
    gradient = logits.sub_(log_norm).exp_()
    gradient.scatter_add_(1, targets, gradient.new_full((1, 1), -1.0).expand_as(targets))
    gradient.mul_(is_target.unsqueeze(1))
    return (losses * is_target).sum(), gradient
