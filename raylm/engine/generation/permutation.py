"""As XLNet does: each token is predicted at a place that nobody sees, from all those before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from transformers import PreTrainedModel, XLNetLMHeadModel

from raylm.engine.generation.rows import left_padded
from raylm.engine.generation.token_writer import TokenWriter

_CONTEXT = 512  # where the length that it was trained at is not known: that of Yang et al. 2019, section 3.1


class Permutation(TokenWriter):
    """The text is read anew for each token: its tokens see those after them too, so nothing can be kept."""

    kind: ClassVar = "permutation"

    @staticmethod
    def fits(model: PreTrainedModel) -> bool:
        return isinstance(model, XLNetLMHeadModel)

    @torch.inference_mode()
    def logits(self, read: Sequence[Sequence[int]], written: Sequence[Sequence[int]]) -> Iterator[Tensor]:
        most = (self.speaker.context or _CONTEXT) - 1  # one place is the new token's
        while True:
            rows = [[*before, *after][-most:] for before, after in zip(read, written, strict=True)]
            yield self.model(**self._inputs(rows)).logits[:, 0]

    def _inputs(self, rows: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Return the rows, each with one more place at its end; which token stands there is of no account."""
        ids, mask = left_padded([[*row, 0] for row in rows], self.model.device)
        length, dtype = ids.shape[1], self.model.dtype
        is_new = torch.zeros(length, dtype=dtype, device=ids.device)
        is_new[-1] = 1
        return {
            "input_ids": ids,
            "attention_mask": mask.to(dtype),
            "perm_mask": is_new.expand(len(ids), length, length),  # no token sees the new one
            "target_mapping": is_new.expand(len(ids), 1, length),
            "use_mems": False,
        }

    def beam_inputs(self, read: Sequence[int], max_new_tokens: int) -> dict[str, Any]:
        return {**super().beam_inputs(read, max_new_tokens), "use_mems": False}
