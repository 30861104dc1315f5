"""Causal language modelling: predict each token from those before it (Radford et al. 2018, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from raylm.objectives import IGNORE_INDEX, Batch, Objective, Row, Span, Split

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class Windows(NamedTuple):
    """Consecutive windows of T tokens and the one that follows, over the whole split as one stream."""

    num_tokens: int
    sequence_length: int

    @property
    def num_rows(self) -> int:
        return max(0, -(-(self.num_tokens - 1) // self.sequence_length))

    def spans(self, row: int) -> tuple[Span, ...]:
        start = row * self.sequence_length
        return (Span("tokens", start, min(start + self.sequence_length + 1, self.num_tokens)),)


class Causal(Objective):
    """Predict the next token (GPT, Llama)."""

    kind: Literal["causal"] = "causal"

    def row_plan(self, split: Split, sequence_length: int) -> Windows:
        return Windows(split.num_tokens, sequence_length)

    def make_batch(self, rows: Sequence[Row], sequence_length: int, seed: int) -> Batch:
        """Return `input_ids` and `labels` (B, T), shifted by one; only the split's last window is padded."""
        import torch

        del seed  # nothing is drawn at random
        inputs = np.zeros((len(rows), sequence_length), dtype=np.int64)
        labels = np.full((len(rows), sequence_length), IGNORE_INDEX, dtype=np.int64)
        for i, row in enumerate(rows):
            (tokens,) = row.arrays
            inputs[i, : len(tokens) - 1] = tokens[:-1]
            labels[i, : len(tokens) - 1] = tokens[1:]
        return {"input_ids": torch.from_numpy(inputs), "labels": torch.from_numpy(labels)}

    def counts(self, batch: Batch) -> dict[str, int]:
        return {"loss": int((batch["labels"] != IGNORE_INDEX).sum())}

    def num_inputs(self, batch: Batch) -> int:
        return self.counts(batch)["loss"]

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.linear_cross_entropy import linear_cross_entropy

        hidden = model.base_model(input_ids=batch["input_ids"], use_cache=False).last_hidden_state
        weight: Tensor = model.get_output_embeddings().weight  # pyright: ignore - None without a head
        return {"loss": linear_cross_entropy(hidden, weight, batch["labels"])}
