"""Causal language modelling: predict each token from those before it (Radford et al. 2018, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from raylm.objectives import Batch, Frame, Objective, Request, Row, RowPlan, Scoring, Split

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class Causal(Objective):
    """Predict the next token (GPT, Llama)."""

    kind: Literal["causal"] = "causal"

    head: ClassVar = "causal"
    keeps_documents_apart: ClassVar = True
    is_likelihood: ClassVar = True
    scores_in_order: ClassVar = True

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        return split.rows(sequence_length, lookahead=1)

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return `input_ids` and `labels` (B, T), shifted by one; see `packed` for `position_ids`."""
        from raylm.kernels.arrays import tensors
        from raylm.kernels.packed import packed

        return tensors(packed([row.arrays for row in rows], frame.sequence_length))

    def num_inputs(self, batch: Batch) -> int:
        return self.counts(batch)["loss"]

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        # Without a cache: with one, transformers overlooks where positions begin anew.
        return {**super().inputs(model, batch), "use_cache": False}

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.head_loss import head_loss

        return {"loss": head_loss(model, self.inputs(model, batch), batch["labels"]).total}

    def scoring(self, requests: Sequence[Request], frame: Frame) -> Scoring:
        from raylm.kernels.scoring import left_to_right

        return left_to_right(requests, frame)
