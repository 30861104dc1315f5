"""Any number of classes for each text: a verdict of its own on each (Tsoumakas and Katakis 2007)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from raylm.objectives import Batch, ReadsRecords, Row

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from raylm.kernels.task_rows import Placed


class MultiLabelClassification(ReadsRecords):
    """Say which classes a text has, none, one or several (BERT, RoBERTa, XLNet, GPT, Llama, T5)."""

    kind: Literal["multi_label_classification"] = "multi_label_classification"

    head: ClassVar = "sequence_classification"
    problem_type: ClassVar = "multi_label_classification"

    def labels(self, rows: Sequence[Row], placed: Placed) -> np.ndarray:
        """Return pairs of a row and a class that it has (K, 2)."""
        del placed
        classes = [row.arrays[-1].astype(np.int64) for row in rows]
        owners = np.repeat(np.arange(len(rows)), [len(each) for each in classes])
        return np.stack([owners, np.concatenate(classes)], axis=1)

    def counts(self, batch: Batch) -> dict[str, int]:
        return dict.fromkeys(self.weights(), len(batch["input_ids"]))

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.classes import marks_loss

        return marks_loss(model, self.inputs(model, batch), batch["labels"])
