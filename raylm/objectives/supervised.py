"""Supervised fine-tuning of a decoder: only the answers are learned (Ouyang et al. 2022, section 3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from raylm.objectives import IGNORE_INDEX, Batch, Frame, Objective, Request, Row, RowPlan, Scoring, Split

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class Supervised(Objective):
    """Predict the next token where it is part of an answer (GPT, Llama)."""

    kind: Literal["supervised"] = "supervised"

    head: ClassVar = "causal"
    learns_task: ClassVar = True
    keeps_documents_apart: ClassVar = True
    scores_in_order: ClassVar = True

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        return split.packed_rows(sequence_length, lookahead=1)

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return `input_ids`, `labels` (B, T), shifted by one, `position_ids` and `num_tokens` (B,).

        Records of one row do not see each other: positions begin anew with each.
        """
        from raylm.kernels.arrays import tensors

        length = frame.sequence_length
        inputs = np.zeros((len(rows), length), dtype=np.int64)
        labels = np.full((len(rows), length), IGNORE_INDEX, dtype=np.int64)
        positions = np.tile(np.arange(length), (len(rows), 1))
        num_tokens = np.zeros(len(rows), dtype=np.int64)
        for i, row in enumerate(rows):
            first = 0
            for tokens, is_learned in zip(row.arrays[::2], row.arrays[1::2], strict=True):
                last = first + len(tokens) - 1
                inputs[i, first:last] = tokens[:-1]
                labels[i, first:last] = np.where(
                    is_learned[1:] > 0, tokens[1:].astype(np.int64), IGNORE_INDEX
                )
                positions[i, first:] = np.arange(length - first)  # padding counts on, unseen
                first = last
            num_tokens[i] = first
        batch = {"input_ids": inputs, "labels": labels, "num_tokens": num_tokens}
        if any(len(row.arrays) > 2 for row in rows):  # noqa: PLR2004 - a record's two
            batch["position_ids"] = positions
        return tensors(batch)

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
