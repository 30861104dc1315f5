"""QLoRA: LoRA over weights that are stored in four bits (Dettmers et al. 2023)."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

from raylm.adapters import LowRank
from raylm.config.errors import Problem


class Qlora(LowRank):
    """Low-rank adapters over a model in 4 bits (NF4, with double quantisation); needs an NVIDIA GPU."""

    kind: Literal["qlora"] = "qlora"

    is_quantized: ClassVar = True

    def problems(self) -> Iterable[Problem]:
        import torch

        yield from super().problems()
        if not torch.cuda.is_available():
            message = "qlora keeps weights in 4 bits, which needs a CUDA GPU, and this machine has none"
            yield Problem("adapter.kind", message, "use lora, or run where there is a GPU", code="no_gpu")
        if find_spec("bitsandbytes") is None:
            message = "bitsandbytes, which stores weights in 4 bits, is not installed"
            yield Problem("adapter.kind", message, "pip install bitsandbytes", code="missing_package")

    def quantization(self) -> Any:
        import torch
        from transformers import BitsAndBytesConfig

        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
