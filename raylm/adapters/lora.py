"""LoRA: low-rank updates of frozen weights (Hu et al. 2022)."""

from __future__ import annotations

from typing import Literal

from raylm.adapters import LowRank


class Lora(LowRank):
    """Low-rank adapters."""

    kind: Literal["lora"] = "lora"
