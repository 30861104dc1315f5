"""Left to right, as GPT and Llama do: each token from those before it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from transformers import PreTrainedModel

from raylm.engine.generation.rows import left_padded
from raylm.engine.generation.token_writer import TokenWriter


class Causal(TokenWriter):
    """Keys and values are cached while the context lasts; past it the oldest tokens are left out."""

    kind: ClassVar = "causal"

    @staticmethod
    def fits(model: PreTrainedModel) -> bool:
        return model.can_generate()

    @torch.inference_mode()
    def logits(self, read: Sequence[Sequence[int]], written: Sequence[Sequence[int]]) -> Iterator[Tensor]:
        context = self.speaker.context or sys.maxsize
        options = {"logits_to_keep": 1} if self.speaker.takes("logits_to_keep") else {}
        cache = None
        while True:
            rows = [[*before, *after] for before, after in zip(read, written, strict=True)]
            is_full = max(map(len, rows)) > context
            inputs = self._inputs([row[-context:] for row in rows], None if is_full else cache)
            output = self.model(**inputs, **options, use_cache=not is_full)
            cache = None if is_full else output.past_key_values
            yield output.logits[:, -1]

    def _inputs(self, rows: Sequence[Sequence[int]], cache: Any) -> dict[str, Any]:
        ids, mask = left_padded(rows, self.model.device)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        if cache is not None:
            ids, positions = ids[:, -1:], positions[:, -1:]
        inputs = {"input_ids": ids, "attention_mask": mask, "past_key_values": cache}
        return {**inputs, "position_ids": positions} if self.speaker.takes("position_ids") else inputs
