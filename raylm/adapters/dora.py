"""DoRA: LoRA for the direction of a weight, its magnitude learned apart (Liu et al. 2024)."""

from __future__ import annotations

from typing import ClassVar, Literal

from raylm.adapters import LowRank


class Dora(LowRank):
    """Low-rank adapters with a magnitude of their own."""

    kind: Literal["dora"] = "dora"

    options: ClassVar = {"use_dora": True}
