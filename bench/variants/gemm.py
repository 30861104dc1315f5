"""Matrix products alone: what the machine gives in this very round, the yardstick for utilisation."""

from collections.abc import Callable
from typing import Any

import torch

SIZE = 2048


def run(options: dict[str, Any], tick: Callable[[float], None]) -> None:
    """Multiply random square matrices for ever; the work of a tick is its floating-point operations."""
    kind = getattr(torch, options["precision"])
    left, right = torch.randn(SIZE, SIZE).to(kind), torch.randn(SIZE, SIZE).to(kind)
    out = torch.empty_like(left)
    while True:
        torch.mm(left, right, out=out)
        tick(2.0 * SIZE**3)
