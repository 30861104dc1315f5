"""Rows that give a text's probability under a model that sees both sides: one token hidden in each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from raylm.kernels.arrays import attention_mask, pad_id, padded, tensors
from raylm.kernels.frame import IGNORE_INDEX, Frame, Request, Scoring


def one_hidden(requests: Sequence[Request], frame: Frame) -> Scoring:
    """Return a row for each token of each text, in which the mask stands for it (Salazar et al. 2020)."""
    cls, sep = frame.vocabulary.id_of("cls_token"), frame.vocabulary.id_of("sep_token")
    inputs: list[NDArray[np.int64]] = []
    labels: list[NDArray[np.int64]] = []
    owners: list[int] = []
    for number, request in enumerate(requests):
        context, text = request.within(frame.sequence_length - 2)
        whole = np.concatenate([[cls], context, text, [sep]]).astype(np.int64)
        for place in range(len(context) + 1, len(whole) - 1):
            hidden, label = whole.copy(), np.full_like(whole, IGNORE_INDEX)
            hidden[place], label[place] = frame.vocabulary.id_of("mask_token"), whole[place]
            inputs.append(hidden)
            labels.append(label)
            owners.append(number)
    lengths = [len(row) for row in inputs]
    longest = max(lengths, default=0)
    arrays = {
        "input_ids": padded(inputs, longest, pad_id(frame.vocabulary.pad_token_id)),
        "labels": padded(labels, longest, IGNORE_INDEX),
        **attention_mask(lengths, longest),
    }
    return Scoring(tensors(arrays), owners)


def left_to_right(requests: Sequence[Request], frame: Frame) -> Scoring:
    """Return a row for each text, read after the token that ends a document."""
    inputs: list[NDArray[np.int64]] = []
    labels: list[NDArray[np.int64]] = []
    for request in requests:
        context, text = request.within(frame.sequence_length)
        whole = np.concatenate([[frame.vocabulary.id_of("eos_token")], context, text]).astype(np.int64)
        inputs.append(whole[:-1])
        labels.append(np.concatenate([np.full(len(context), IGNORE_INDEX), text]).astype(np.int64))
    longest = max(map(len, inputs), default=0)
    arrays = {"input_ids": padded(inputs, longest, 0), "labels": padded(labels, longest, IGNORE_INDEX)}
    return Scoring(tensors(arrays), range(len(requests)))
