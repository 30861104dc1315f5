"""Permutation language modelling: predict tokens in any order (Yang et al. 2019, sections 2.2 to 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from raylm.config.sections import knob
from raylm.objectives import IGNORE_INDEX, Batch, Frame, Objective, Request, Row, RowPlan, Scoring, Split

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import PreTrainedModel


class Permutation(Objective):
    """Predict the last tokens of a random order from those before them (XLNet)."""

    kind: Literal["permutation"] = "permutation"
    predict_share: float = knob(1 / 6, gt=0, lt=1)
    """Share of the tokens that are predicted, the last ones of the order (1 / K in section 2.3)."""
    max_span: int = knob(5, unit="tokens", ge=1, le=100)
    """The longest run of neighbours that is predicted; shorter ones are more frequent."""

    head: ClassVar = "permutation"
    needs: ClassVar = ("sep_token", "cls_token")
    shortest: ClassVar = 4

    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        return split.rows(sequence_length - 2)  # the separator and the class stand at the end

    def make_batch(self, rows: Sequence[Row], frame: Frame) -> Batch:
        """Return the model's inputs and `labels` (B, K), K the tokens predicted in a full row.

        `input_ids` (B, T) end in the separator and the class token. `perm_mask` (B, T, T) is 1 where a token
        must not see another, `target_mapping` (B, K, T) says where the targets stand.
        """
        from raylm.kernels.arrays import tensors
        from raylm.kernels.permutation import choose_spans, hidden_from

        made = []
        hidden = np.zeros((len(rows), frame.sequence_length, frame.sequence_length), dtype=np.float32)
        for i, row in enumerate(rows):
            rng = row.rng(frame.seed)
            tokens = self._tokens(np.concatenate(row.arrays), frame)
            is_text = ~frame.vocabulary.is_special[tokens]
            wanted = max(1, round(is_text.sum() * self.predict_share))
            targets = choose_spans(is_text, wanted, self.max_span, rng)
            made.append((tokens, targets))
            hidden[i, : len(tokens), : len(tokens)] = hidden_from(targets, len(tokens), rng)
        most = max(1, round((frame.sequence_length - 2) * self.predict_share))
        return _batch(made, frame, frame.sequence_length, most) | tensors({"perm_mask": hidden})

    def _tokens(self, text: NDArray[np.generic], frame: Frame) -> NDArray[np.int64]:
        end = [frame.vocabulary.id_of("sep_token"), frame.vocabulary.id_of("cls_token")]
        return np.concatenate([text, end]).astype(np.int64)

    def inputs(self, model: PreTrainedModel, batch: Batch) -> dict[str, Any]:
        dtype = model.get_input_embeddings().weight.dtype
        return {
            name: tensor.to(dtype) if name in ("perm_mask", "target_mapping", "attention_mask") else tensor
            for name, tensor in super().inputs(model, batch).items()
        }

    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        from raylm.kernels.head_loss import head_loss

        return {"loss": head_loss(model, self.inputs(model, batch), batch["labels"]).total}

    def scoring(self, requests: Sequence[Request], frame: Frame) -> Scoring:
        """Return a row for each token of each text, which all the others see and it does not."""
        made, owners = [], []
        for number, request in enumerate(requests):
            context, text = request.within(frame.sequence_length - 2)
            tokens = self._tokens(np.concatenate([context, text]), frame)
            for place in range(len(context), len(context) + len(text)):
                made.append((tokens, np.array([place])))
                owners.append(number)
        longest = max((len(each[0]) for each in made), default=0)
        batch = _batch(made, frame, longest, 1)
        # Nobody sees the target: the mask (B, T, T) is its mapping (B, 1, T) T times, in the memory of one.
        batch["perm_mask"] = batch["target_mapping"].expand(-1, longest, -1)
        return Scoring(batch, owners)


def _batch(
    made: Sequence[tuple[NDArray[np.int64], NDArray[np.intp]]],
    frame: Frame,
    length: int,
    num_targets: int,
) -> Batch:
    from raylm.kernels.arrays import attention_mask, pad_id, padded, tensors

    mapping = np.zeros((len(made), num_targets, length), dtype=np.float32)
    segments = np.zeros((len(made), length), dtype=np.int64)
    for i, (tokens, targets) in enumerate(made):
        mapping[i, np.arange(len(targets)), targets] = 1
        segments[i, len(tokens) - 1] = 2  # the class token's
    arrays = {
        "input_ids": padded([each[0] for each in made], length, pad_id(frame.vocabulary.pad_token_id)),
        "labels": padded([each[0][each[1]] for each in made], num_targets, IGNORE_INDEX),
        "target_mapping": mapping,
        "token_type_ids": segments,
        **attention_mask([len(each[0]) for each in made], length),
    }
    return tensors(arrays)
