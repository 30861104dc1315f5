"""Texts put together into rows of next-token prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from raylm.kernels.frame import IGNORE_INDEX


def packed(
    rows: Sequence[Sequence[NDArray[np.generic]]],
    length: int,
    marks: Sequence[Sequence[NDArray[np.generic]]] | None = None,
) -> dict[str, NDArray[np.int64]]:
    """Return `input_ids`, `labels` (B, length), shifted by one, and `position_ids` if a row holds several.

    Texts of one row must not see each other: positions begin anew with each, by which transformers keeps
    attention inside a text.

    Args:
        rows: the ids of each row's texts.
        length: of a row; the rest is filled up and has no labels.
        marks: of each token, whether it is to be learned; without any all are.
    """
    inputs = np.zeros((len(rows), length), dtype=np.int64)
    labels = np.full((len(rows), length), IGNORE_INDEX, dtype=np.int64)
    positions = np.tile(np.arange(length), (len(rows), 1))
    for i, texts in enumerate(rows):
        first = 0
        for number, tokens in enumerate(texts):
            last = first + len(tokens) - 1
            inputs[i, first:last] = tokens[:-1]
            labels[i, first:last] = tokens[1:]
            if marks is not None:
                labels[i, first:last][marks[i][number][1:] == 0] = IGNORE_INDEX
            positions[i, first:] = np.arange(length - first)  # padding counts on, unseen
            first = last
    made = {"input_ids": inputs, "labels": labels}
    return made | {"position_ids": positions} if any(len(texts) > 1 for texts in rows) else made
