"""Answers that stand in a text: their first and last token (Devlin et al. 2019, sections 4.2 and 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from raylm.objectives import Batch, ReadsRecords, Row

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from raylm.kernels.task_rows import Placed


class QuestionAnswering(ReadsRecords):
    """Find the words of a text that answer a question (BERT, RoBERTa, XLNet, GPT, Llama, T5)."""

    kind: Literal["question_answering"] = "question_answering"

    head: ClassVar = "question_answering"

    def labels(self, rows: Sequence[Row], placed: Placed) -> np.ndarray:
        """Return the places of first and last token (B, 2)."""
        return np.stack([row.arrays[-1] for row in rows]).astype(np.int64) + placed.starts[:, None]

    def counts(self, batch: Batch) -> dict[str, int]:
        return dict.fromkeys(self.weights(), len(batch["labels"]))

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.classes import span_loss

        inputs = {**self.inputs(model, batch), "attention_mask": batch["attention_mask"]}
        return span_loss(model, inputs, batch["labels"])
