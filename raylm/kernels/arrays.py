"""Rows of different lengths as one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


def padded(
    rows: Sequence[NDArray[Any]], length: int, value: int, dtype: type = np.int64
) -> NDArray[np.generic]:
    """Return the rows as one array (B, length), filled up with a value at their ends."""
    out = np.full((len(rows), length), value, dtype=dtype)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def tensors(arrays: dict[str, NDArray[Any]]) -> dict[str, Tensor]:
    """Return the arrays as tensors that share their memory."""
    import torch

    return {name: torch.from_numpy(values) for name, values in arrays.items()}


def pad_id(pad_token_id: int | None) -> int:
    """Return the id that fills rows up; any one does where nothing attends to it."""
    return pad_token_id or 0


def attention_mask(lengths: Sequence[int], length: int) -> dict[str, NDArray[np.int64]]:
    """Return `attention_mask` (B, length), or nothing where every row is full: no mask is faster."""
    if all(each == length for each in lengths):
        return {}
    return {"attention_mask": (np.arange(length) < np.array(lengths)[:, None]).astype(np.int64)}
