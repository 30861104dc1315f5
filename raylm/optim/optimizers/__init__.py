"""What an optimizer is; every other file here is one optimizer."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from raylm.config.choice import Choice
from raylm.config.sections import knob

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer as TorchOptimizer


class Optimizer(Choice):
    """How gradients change the weights."""

    learning_rate: float = knob(6e-4, gt=0, lt=10)
    """Peak learning rate, reached at the end of the warm-up."""
    weight_decay: float = knob(0.1, ge=0, lt=1)
    """Decoupled weight decay of matrices and embeddings; biases and norms are not decayed."""
    layer_decay: float = knob(1.0, gt=0, le=1, advanced=True)
    """Each layer learns at this share of the rate of the layer above it (Clark et al. 2020, section 3.1)."""
    max_grad_norm: float = knob(1.0, gt=0)
    """Gradients are scaled down to this global L2 norm (Pascanu et al. 2013)."""

    @abstractmethod
    def build(self, model: nn.Module) -> TorchOptimizer:
        """Return the optimizer over the model's trained parameters."""

    @property
    @abstractmethod
    def state_bytes_per_parameter(self) -> int:
        """Bytes of optimizer state for one float32 parameter."""
