"""A class for each word, told at its first token (Devlin et al. 2019, section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from raylm.objectives import IGNORE_INDEX, Batch, ReadsRecords, Row

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from raylm.kernels.task_rows import Placed


class TokenClassification(ReadsRecords):
    """Say to which class each word belongs (BERT, RoBERTa, XLNet, GPT, Llama, T5)."""

    kind: Literal["token_classification"] = "token_classification"

    head: ClassVar = "token_classification"

    def labels(self, rows: Sequence[Row], placed: Placed) -> np.ndarray:
        """Return the class ids (B, L) of first tokens, -100 elsewhere."""
        return placed.aligned([row.arrays[-1] for row in rows], IGNORE_INDEX)

    def counts(self, batch: Batch) -> dict[str, int]:
        return dict.fromkeys(self.weights(), int((batch["labels"] != IGNORE_INDEX).sum()))

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.classes import class_loss

        return class_loss(model, self.inputs(model, batch), batch["labels"])
