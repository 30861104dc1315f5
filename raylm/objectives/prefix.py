"""Prefix language modelling: a text's start is read from both sides (Raffel et al. 2020, section 3.2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from raylm.objectives import IGNORE_INDEX, Batch, Frame, Objective, Request, Row, RowPlan, Scoring, Split

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class Prefix(Objective):
    """Predict the next token after a prefix whose tokens all see each other (GPT, Llama)."""

    kind: Literal["prefix"] = "prefix"

    head: ClassVar = "causal"
    scores_in_order: ClassVar = True

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        return split.rows(sequence_length, lookahead=1)

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return `input_ids`, `labels` (B, T), shifted by one, and `prefix_lengths` (B,).

        Every length that leaves something to predict is as likely; the prefix's tokens have no label.
        """
        from raylm.kernels.arrays import padded, tensors

        texts = [np.concatenate(row.arrays).astype(np.int64) for row in rows]
        prefixes = [
            int(row.rng(frame.seed).integers(len(text) - 1)) for row, text in zip(rows, texts, strict=True)
        ]
        labels = [text[1:].copy() for text in texts]
        for label, prefix in zip(labels, prefixes, strict=True):
            label[: max(0, prefix - 1)] = IGNORE_INDEX  # the prefix's last token predicts the one after it
        length = frame.sequence_length
        arrays = {
            "input_ids": padded([text[:-1] for text in texts], length, 0),
            "labels": padded(labels, length, IGNORE_INDEX),
            "prefix_lengths": np.array(prefixes),
            "num_tokens": np.array([len(text) - 1 for text in texts]),
        }
        return tensors(arrays)

    def num_inputs(self, batch: Batch) -> int:
        return int(batch["num_tokens"].sum())

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        import torch

        from raylm.kernels.attention import mask_for

        ids = batch["input_ids"]
        places = torch.arange(ids.shape[1], device=ids.device)
        is_before = places[None, :] <= places[:, None]  # (query, key)
        may_look = is_before[None] | (places[None, None, :] < batch["prefix_lengths"][:, None, None])
        return {"input_ids": ids, "attention_mask": mask_for(model, may_look), "use_cache": False}

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.head_loss import head_loss

        return {"loss": head_loss(model, self.inputs(model, batch), batch["labels"], is_sparse=True).total}

    def scoring(self, requests: Sequence[Request], frame: Frame) -> Scoring:
        """Return a row for each text, the context its prefix."""
        from raylm.kernels.scoring import left_to_right

        scoring = left_to_right(requests, frame)
        import torch

        is_label = scoring.batch["labels"] != IGNORE_INDEX
        prefixes = is_label.int().argmax(1) + 1
        return Scoring(
            {**scoring.batch, "prefix_lengths": prefixes, "num_tokens": torch.full_like(prefixes, 0)},
            scoring.owners,
        )
