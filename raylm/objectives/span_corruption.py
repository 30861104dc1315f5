"""Span corruption: write the spans that were left out of a text (Raffel et al. 2020, section 3.1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from raylm.config.errors import Problem
from raylm.config.sections import knob
from raylm.objectives import IGNORE_INDEX, Batch, Frame, Objective, Request, Row, RowPlan, Scoring, Split

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import PreTrainedModel

    from raylm.kernels.span_corruption import Spans


class SpanCorruption(Objective):
    """Write the spans that a text lacks (T5)."""

    kind: Literal["span_corruption"] = "span_corruption"
    noise_share: float = knob(0.15, gt=0, lt=1)
    """Share of the tokens that are left out."""
    mean_span: float = knob(3.0, ge=1, le=100, unit="tokens")
    """Average length of what is left out in one place."""

    head: ClassVar = "seq2seq"
    needs: ClassVar = ("pad_token",)
    shortest: ClassVar = 3

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        """Return rows of as many tokens as fill the encoder once their spans are replaced by sentinels."""
        return split.rows(self._num_tokens(sequence_length))

    def problems(self, frame: Frame) -> list[Problem]:
        wanted, there = self._spans(frame).num_spans, len(frame.vocabulary.sentinel_ids)
        if wanted <= there:
            return super().problems(frame)
        message = f"span_corruption needs {wanted} sentinels, <extra_id_0> and on, the tokenizer has {there}"
        mend = "shorten train.sequence_length or lengthen objective.mean_span"
        code = "sentinels" if there else "special_tokens"
        return [*super().problems(frame), Problem("objective", message, mend if there else "", code=code)]

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return `input_ids` (B, T), `decoder_input_ids` and `labels` (B, D), D the longest of the spans."""
        made = [self._corrupted(row, frame) for row in rows]
        return _batch(made, frame, self._spans(frame).num_targets)

    def _corrupted(self, row: Row, frame: Frame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        from raylm.kernels.span_corruption import noise, spans_of

        tokens = np.concatenate(row.arrays).astype(np.int64)
        if len(tokens) < 2:  # noqa: PLR2004 - a span and something to tell it from
            spans = np.array([[0, len(tokens)]])
        else:
            spans = noise(spans_of(len(tokens), self.noise_share, self.mean_span), row.rng(frame.seed))
        return _without(tokens, spans, frame)

    def _num_tokens(self, sequence_length: int) -> int:
        from raylm.kernels.span_corruption import longest_text

        return longest_text(sequence_length, self.noise_share, self.mean_span)

    def _spans(self, frame: Frame) -> Spans:
        from raylm.kernels.span_corruption import spans_of

        return spans_of(self._num_tokens(frame.sequence_length), self.noise_share, self.mean_span)

    def num_inputs(self, batch: Batch) -> int:
        """Return the tokens that encoder and decoder read."""
        return super().num_inputs(batch) + self.counts(batch)["loss"]

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        return {**super().inputs(model, batch), "use_cache": False}

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.head_loss import head_loss

        return {"loss": head_loss(model, self.inputs(model, batch), batch["labels"]).total}

    def scoring(self, requests: Sequence[Request], frame: Frame) -> Scoring:
        """Return a row for each token of each text: the encoder reads the others, the decoder writes it."""
        made, owners = [], []
        for number, request in enumerate(requests):
            context, text = request.within(frame.sequence_length - 1)
            whole = np.concatenate([context, text]).astype(np.int64)
            for place in range(len(context), len(whole)):
                inputs, targets = _without(whole, np.array([[place, place + 1]]), frame)
                made.append((inputs, targets[:2]))
                owners.append(number)
        batch = _batch(
            made, frame._replace(sequence_length=max((len(each[0]) for each in made), default=0)), 2
        )
        batch["labels"][:, 0] = IGNORE_INDEX  # the sentinel
        return Scoring(batch, owners)


def _without(
    tokens: NDArray[np.int64], spans: NDArray[np.int64], frame: Frame
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what the encoder reads, sentinels for the spans, and what the decoder writes, the spans."""
    sentinels, end = frame.vocabulary.sentinel_ids, [frame.vocabulary.id_of("eos_token")]
    inputs, targets, done = [], [], 0
    for sentinel, (start, stop) in zip(sentinels, spans.tolist(), strict=False):
        inputs += [tokens[done:start], [sentinel]]
        targets += [[sentinel], tokens[start:stop]]
        done = stop
    return np.concatenate([*inputs, tokens[done:], end]), np.concatenate([*targets, end])


def _batch(made: list[tuple[NDArray, NDArray]], frame: Frame, num_targets: int) -> Batch:
    from raylm.kernels.arrays import attention_mask, pad_id, padded, tensors

    pad = pad_id(frame.vocabulary.pad_token_id)
    inputs, targets = [each[0] for each in made], [each[1] for each in made]
    length = frame.sequence_length
    shifted = [np.concatenate([[pad], each[:-1]]) for each in targets]  # T5 begins with the padding's id
    arrays = {
        "input_ids": padded(inputs, length, pad),
        "decoder_input_ids": padded(shifted, num_targets, pad),
        "labels": padded(targets, num_targets, IGNORE_INDEX),
        **attention_mask([len(each) for each in inputs], length),
    }
    return tensors(arrays)
