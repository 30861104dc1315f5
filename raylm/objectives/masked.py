"""Masked language modelling: guess hidden tokens from both sides (Devlin et al. 2019, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from raylm.objectives import IGNORE_INDEX, Batch, Frame, HidesTokens, Row, RowPlan, Split

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class Masked(HidesTokens):
    """Guess hidden tokens (BERT, RoBERTa)."""

    kind: Literal["masked"] = "masked"

    head: ClassVar = "masked"
    keeps_documents_apart: ClassVar = True

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        return split.rows(sequence_length - 2)  # one token before the text and one after

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return `input_ids` and `labels` (B, T): the text between the class and the separator token.

        Arrays of one row are texts that must not see each other: `texts` (B, T) then says which one a token
        belongs to, 0 for padding, and `position_ids` begin anew with each.
        """
        from raylm.kernels.arrays import attention_mask, pad_id, padded, tensors

        length = frame.sequence_length
        made = [self._row(row, frame) for row in rows]
        lengths = [len(tokens) for tokens, *_ in made]
        arrays = {
            "input_ids": padded([each[0] for each in made], length, pad_id(frame.vocabulary.pad_token_id)),
            "labels": padded([each[1] for each in made], length, IGNORE_INDEX),
        }
        if any(len(row.arrays) > 1 for row in rows):
            arrays["texts"] = padded([each[2] for each in made], length, 0)
        else:
            arrays |= attention_mask(lengths, length)
        return tensors(arrays)

    def _row(self, row: Row, frame: Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        cls, sep = frame.vocabulary.id_of("cls_token"), frame.vocabulary.id_of("sep_token")
        end = [] if row.arrays[-1][-1] == sep else [sep]
        tokens = np.concatenate([[cls], *row.arrays, end]).astype(np.int64)
        numbers = np.repeat(np.arange(1, len(row.arrays) + 1), [len(each) for each in row.arrays])
        texts = np.concatenate([numbers[:1], numbers, numbers[-1:][: len(end)]])
        return *self.hide(tokens, row, frame), texts

    def num_inputs(self, batch: Batch) -> int:
        return int((batch["texts"] > 0).sum()) if "texts" in batch else super().num_inputs(batch)

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        from raylm.kernels.attention import text_inputs

        inputs = {name: batch[name] for name in ("input_ids", "attention_mask") if name in batch}
        return inputs | text_inputs(model, batch["texts"]) if "texts" in batch else inputs

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.head_loss import head_loss

        return {"loss": head_loss(model, self.inputs(model, batch), batch["labels"], is_sparse=True).total}
