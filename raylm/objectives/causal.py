"""Causal language modelling: predict each token from those before it (Radford et al. 2018, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from raylm.objectives import IGNORE_INDEX, Batch, Objective, Row, RowPlan, Split

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class Causal(Objective):
    """Predict the next token (GPT, Llama)."""

    kind: Literal["causal"] = "causal"

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        return split.rows(sequence_length, lookahead=1)

    def make_batch(self, rows: Sequence[Row], sequence_length: int, seed: int) -> Batch:
        """Return `input_ids` and `labels` (B, T), shifted by one.

        Arrays of one row are texts that must not see each other: `position_ids` then begin anew with each,
        by which transformers keeps attention inside a text.
        """
        import torch

        del seed  # nothing is drawn at random
        inputs = np.zeros((len(rows), sequence_length), dtype=np.int64)
        labels = np.full((len(rows), sequence_length), IGNORE_INDEX, dtype=np.int64)
        positions = np.tile(np.arange(sequence_length), (len(rows), 1))
        for i, row in enumerate(rows):
            first = 0
            for tokens in row.arrays:
                last = first + len(tokens) - 1
                inputs[i, first:last] = tokens[:-1]
                labels[i, first:last] = tokens[1:]
                positions[i, first:] = np.arange(sequence_length - first)  # padding counts on, unseen
                first = last
        batch = {"input_ids": inputs, "labels": labels}
        if any(len(row.arrays) > 1 for row in rows):
            batch["position_ids"] = positions
        return {name: torch.from_numpy(values) for name, values in batch.items()}

    def counts(self, batch: Batch) -> dict[str, int]:
        return {"loss": int((batch["labels"] != IGNORE_INDEX).sum())}

    def num_inputs(self, batch: Batch) -> int:
        return self.counts(batch)["loss"]

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.linear_cross_entropy import linear_cross_entropy

        inputs = {name: batch[name] for name in ("input_ids", "position_ids") if name in batch}
        # Without a cache: with one, transformers overlooks where positions begin anew.
        hidden = model.base_model(**inputs, use_cache=False).last_hidden_state
        weight: Tensor = model.get_output_embeddings().weight  # pyright: ignore - None without a head
        return {"loss": linear_cross_entropy(hidden, weight, batch["labels"])}
