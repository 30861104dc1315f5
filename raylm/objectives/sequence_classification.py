"""One class of several for each text, or for each pair of texts (Devlin et al. 2019, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from raylm.objectives import Batch, ReadsRecords, Row

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from raylm.kernels.task_rows import Placed


class SequenceClassification(ReadsRecords):
    """Say to which class a text belongs (BERT, RoBERTa, XLNet, GPT, Llama, T5)."""

    kind: Literal["sequence_classification"] = "sequence_classification"

    head: ClassVar = "sequence_classification"
    problem_type: ClassVar = "single_label_classification"

    def labels(self, rows: Sequence[Row], placed: Placed) -> np.ndarray:
        """Return the class ids (B,)."""
        del placed
        return np.concatenate([row.arrays[-1] for row in rows]).astype(np.int64)

    def counts(self, batch: Batch) -> dict[str, int]:
        return dict.fromkeys(self.weights(), len(batch["labels"]))

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.classes import class_loss

        return class_loss(model, self.inputs(model, batch), batch["labels"])
