"""What a model makes of texts: its last hidden states, averaged over the tokens of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from raylm.engine.score import Report, quiet
from raylm.kernels.arrays import pad_id, padded

_TOKENS = 8192  # of one forward pass, padding included


class Around(NamedTuple):
    """The ids that a model is used to reading before and after a text."""

    before: list[int]
    after: list[int]

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> Around:
        """Return what a tokenizer puts around a text."""
        bare = tokenizer.encode("a", add_special_tokens=False)
        whole = tokenizer.encode("a", add_special_tokens=True)
        start = next(n for n in range(len(whole)) if whole[n : n + len(bare)] == bare)
        return cls(whole[:start], whole[start + len(bare) :])


def features(
    model: PreTrainedModel,
    texts: Sequence[NDArray[np.int64]],
    around: Around,
    room: int,
    report: Report = quiet,
) -> NDArray[np.float32]:
    """Return each text's mean of the last hidden states (N, D), an encoder's where there is one.

    Args:
        model: any of transformers.
        texts: ids of each text; none is empty.
        around: what is read before and after a text, and left out of the mean.
        room: tokens that the model reads at once; of a longer text the beginning is read.
        report: called with the share of the texts that are done.
    """
    before, after = around
    most = room - len(before) - len(after)
    rows = [np.concatenate([before, text[:most], after]).astype(np.int64) for text in texts]
    order = sorted(range(len(rows)), key=lambda number: -len(rows[number]))
    made: dict[int, NDArray[np.float32]] = {}
    while len(made) < len(order):
        width = len(rows[order[len(made)]])
        group = order[len(made) : len(made) + max(1, _TOKENS // width)]
        means = _means(model, [rows[number] for number in group], around)
        made |= dict(zip(group, means, strict=True))
        report(len(made) / len(rows))
    return np.stack([made[number] for number in range(len(rows))])


@torch.inference_mode()
def _means(model: PreTrainedModel, rows: list[NDArray[np.int64]], around: Around) -> NDArray[np.float32]:
    longest = max(map(len, rows))
    lengths = torch.tensor([len(row) for row in rows], device=model.device)
    pad = pad_id(model.config.pad_token_id)
    ids = torch.from_numpy(padded(rows, longest, pad)).to(model.device)
    places = torch.arange(longest, device=model.device)
    is_there = places < lengths.unsqueeze(1)
    is_text = (places >= len(around.before)) & (places < (lengths - len(around.after)).unsqueeze(1))
    hidden = _reader(model)(input_ids=ids, attention_mask=is_there.long()).last_hidden_state
    return _mean(hidden.float(), is_text).cpu().numpy()


def _reader(model: PreTrainedModel) -> torch.nn.Module:
    """Return the part that reads: the encoder of a model with a decoder, else all but the head."""
    return model.get_encoder() if model.config.is_encoder_decoder else model.base_model


def _mean(hidden: Tensor, is_text: Tensor) -> Tensor:
    counted = is_text.unsqueeze(2)
    return (hidden * counted).sum(1) / counted.sum(1).clamp_min(1)
