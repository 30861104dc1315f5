"""Supervised fine-tuning of an encoder-decoder: a text in, a text out (Raffel et al. 2020, section 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from raylm.objectives import IGNORE_INDEX, Batch, Frame, Objective, Request, Row, RowPlan, Scoring, Split

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class Seq2Seq(Objective):
    """Write the target after reading the source (T5)."""

    kind: Literal["seq2seq"] = "seq2seq"

    head: ClassVar = "seq2seq"
    learns_task: ClassVar = True
    needs: ClassVar = ("pad_token", "eos_token")
    scores_in_order: ClassVar = True
    shortest: ClassVar = 3

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        return split.record_rows(sequence_length)

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return `input_ids`, `attention_mask` (B, S), `decoder_input_ids` and `labels` (B, D).

        S and D are the lengths of the longest source and target, `sequence_length` at most.
        """
        from raylm.kernels.task_rows import kept_places

        sources, targets = (
            [row.arrays[side][kept_places(row.arrays[side], frame)].astype(np.int64) for row in rows]
            for side in (0, 1)
        )
        return _batch(sources, targets, frame)

    def num_inputs(self, batch: Batch) -> int:
        """Return the tokens that encoder and decoder read."""
        return super().num_inputs(batch) + self.counts(batch)["loss"]

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        start = model.config.decoder_start_token_id
        decoder = batch["decoder_input_ids"]
        if start is not None and decoder.shape[1] and start != int(decoder[0, 0]):
            decoder = decoder.clone()
            decoder[:, 0] = start
        return {**super().inputs(model, batch), "decoder_input_ids": decoder, "use_cache": False}

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.head_loss import head_loss

        return {"loss": head_loss(model, self.inputs(model, batch), batch["labels"]).total}

    def scoring(self, requests: Sequence[Request], frame: Frame) -> Scoring:
        """Return a row for each text: the encoder reads the context, the decoder writes the text."""
        end, length = [frame.vocabulary.id_of("eos_token")], frame.sequence_length
        sources = [np.concatenate([each.context[1 - length :], end]).astype(np.int64) for each in requests]
        targets = [each.text[:length].astype(np.int64) for each in requests]
        return Scoring(_batch(sources, targets, frame), range(len(requests)))


def _batch(sources: list[NDArray[np.int64]], targets: list[NDArray[np.int64]], frame: Frame) -> Batch:
    from raylm.kernels.arrays import pad_id, padded, tensors

    pad = pad_id(frame.vocabulary.pad_token_id)
    longest, num_targets = max(map(len, sources)), max(map(len, targets))
    # T5 begins with the padding's id; for a model that begins otherwise `inputs` puts that in its place.
    shifted = [np.concatenate([[pad], target[:-1]]) for target in targets]
    arrays = {
        "input_ids": padded(sources, longest, pad),
        "attention_mask": padded([np.ones(len(each)) for each in sources], longest, 0),
        "decoder_input_ids": padded(shifted, num_targets, pad),
        "labels": padded(targets, num_targets, IGNORE_INDEX),
    }
    return tensors(arrays)
