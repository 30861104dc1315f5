"""AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from raylm.config.sections import knob
from raylm.optim.optimizers import Optimizer

if TYPE_CHECKING:
    import torch
    from torch import nn

Beta = Annotated[float, Field(ge=0, lt=1)]


class AdamW(Optimizer):
    """AdamW, fused into one pass over the weights."""

    kind: Literal["adamw"] = "adamw"
    betas: tuple[Beta, Beta] = knob((0.9, 0.95), advanced=True)
    """Decay of the running means of the gradient and of its square."""
    eps: float = knob(1e-8, gt=0, advanced=True)
    """Added to the denominator."""

    def build(self, model: nn.Module) -> torch.optim.AdamW:
        import torch

        from raylm.kernels.layers import rate_shares

        groups = [
            {"params": chosen, "weight_decay": decay, "rate_share": share}
            for share, weights in rate_shares(model, self.layer_decay).items()
            for chosen, decay in (
                ([weight for weight in weights if weight.dim() > 1], self.weight_decay),
                ([weight for weight in weights if weight.dim() <= 1], 0.0),
            )
            if chosen
        ]
        return torch.optim.AdamW(groups, lr=self.learning_rate, betas=self.betas, eps=self.eps, fused=True)

    @property
    def state_bytes_per_parameter(self) -> int:
        return 8
