"""A number for each text, by least squares (as STS-B in Devlin et al. 2019, section 4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from raylm.objectives import Batch, ReadsRecords, Row

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from raylm.kernels.task_rows import Placed


class Regression(ReadsRecords):
    """Say which number a text has (BERT, RoBERTa, XLNet, GPT, Llama, T5)."""

    kind: Literal["regression"] = "regression"

    head: ClassVar = "sequence_classification"
    problem_type: ClassVar = "regression"
    target_dtype: ClassVar = "float32"

    def labels(self, rows: Sequence[Row], placed: Placed) -> np.ndarray:
        """Return the numbers (B,)."""
        del placed
        return np.concatenate([row.arrays[-1] for row in rows]).astype(np.float32)

    def counts(self, batch: Batch) -> dict[str, int]:
        return {"loss": len(batch["labels"])}

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from torch.nn import functional as F

        found = model(**self.inputs(model, batch)).logits.float().squeeze(-1)
        return {"loss": F.mse_loss(found, batch["labels"], reduction="sum")}

    def weights(self) -> Mapping[str, float]:
        return {"loss": 1.0}
