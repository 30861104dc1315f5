"""Supervised fine-tuning of a decoder: only the answers are learned (Ouyang et al. 2022, section 3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from raylm.objectives import Batch, Frame, Objective, Request, Row, RowPlan, Scoring, Split

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class Supervised(Objective):
    """Predict the next token where it is part of an answer (GPT, Llama)."""

    kind: Literal["supervised"] = "supervised"

    head: ClassVar = "causal"
    learns_task: ClassVar = True
    target_dtype: ClassVar = "uint8"
    keeps_documents_apart: ClassVar = True
    scores_in_order: ClassVar = True

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        return split.packed_rows(sequence_length, lookahead=1)

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return what `packed` gives, and `num_tokens` (B,): how many of a row the model reads."""
        from raylm.kernels.arrays import tensors
        from raylm.kernels.packed import packed

        texts, marks = ([row.arrays[side::2] for row in rows] for side in (0, 1))
        num_tokens = np.array([sum(len(each) - 1 for each in row) for row in texts])
        return tensors({**packed(texts, frame.sequence_length, marks), "num_tokens": num_tokens})

    def num_inputs(self, batch: Batch) -> int:
        return int(batch["num_tokens"].sum())

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        del model
        names = ("input_ids", "position_ids")
        # Without a cache: with one, transformers overlooks where positions begin anew.
        return {**{name: batch[name] for name in names if name in batch}, "use_cache": False}

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.head_loss import head_loss

        return {"loss": head_loss(model, self.inputs(model, batch), batch["labels"], is_sparse=True).total}

    def scoring(self, requests: Sequence[Request], frame: Frame) -> Scoring:
        from raylm.kernels.scoring import left_to_right

        return left_to_right(requests, frame)
