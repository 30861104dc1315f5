"""Rows of tasks as batches: cut to the model's room, filled up, with token types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.config.vocabulary import Vocabulary
from raylm.kernels import pairs
from raylm.kernels.arrays import tensors
from raylm.kernels.frame import Batch, Frame

if TYPE_CHECKING:
    from transformers import PreTrainedModel


INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_AROUND = ("bos_token", "cls_token", "sep_token", "eos_token")


def kept_places(row: NDArray[np.generic], frame: Frame) -> NDArray[np.int64]:
    """Return which places of a row fit into a sequence: of the longer of two texts fewer, of each its first.

    The tokens that open, part and close texts are among them; an unknown token is one of a text.
    """
    num_tokens, length = len(row), frame.sequence_length
    if num_tokens <= length:
        return np.arange(num_tokens)
    first, second = _texts(row.astype(np.int64), frame.vocabulary)
    room = max(0, length - num_tokens + len(first) + len(second))
    num_first, num_second = pairs.kept(np.array([len(first)]), np.array([len(second)]), room)
    lost = np.concatenate([first[int(num_first[0]) :], second[int(num_second[0]) :]])
    return np.delete(np.arange(num_tokens), lost)[:length]


def _texts(row: NDArray[np.int64], vocabulary: Vocabulary) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of a row's first text, empty where it has only one, and of its last."""
    around = [number for role in _AROUND if (number := vocabulary.role(role)) is not None]
    places = np.flatnonzero(~np.isin(row, around))
    parted = np.flatnonzero(np.diff(places) > 1)
    start = int(parted[0]) + 1 if len(parted) else 0
    return places[:start], places[start:]


def reads_token_types(model: PreTrainedModel) -> bool:
    """Whether a model tells two texts apart by token types; GPT-2 would take them for words."""
    return getattr(model.config, "type_vocab_size", 0) > 1 or model.config.model_type == "xlnet"


def token_types(row: NDArray[np.int64], vocabulary: Vocabulary) -> NDArray[np.int64]:
    """Return 0 for the first text's tokens and 1 for the second's; each text's separator counts to it.

    A class token that does not stand first is 2 (Yang et al. 2019, as transformers numbers them).
    """
    is_sep = row == vocabulary.sep_token_id
    types = np.minimum(np.cumsum(is_sep) - is_sep, 1)
    is_last_class = (row == vocabulary.cls_token_id) & (np.arange(len(row)) > 0)
    return np.where(is_last_class, 2, types)


class Placed(NamedTuple):
    """Rows as a batch."""

    inputs: Batch
    """`input_ids`, `attention_mask` and `token_type_ids` (B, L), L the longest row's length."""
    starts: NDArray[np.int64]
    """(B,): where each row begins; after the padding where that stands on the left."""
    kept: Sequence[NDArray[np.int64]]
    """Of each row, the places that fit into the sequence."""

    def aligned(self, values: Sequence[NDArray[np.generic]], fill: int) -> NDArray[np.int64]:
        """Return values of all of each row's tokens where those tokens stand (B, L)."""
        out = np.full(tuple(self.inputs["input_ids"].shape), fill, dtype=np.int64)
        for i, (start, row, kept) in enumerate(zip(self.starts.tolist(), values, self.kept, strict=True)):
            out[i, start : start + len(kept)] = row[kept]
        return out


def encoder_batch(
    whole: Sequence[NDArray[np.generic]], kept: Sequence[NDArray[np.int64]], vocabulary: Vocabulary
) -> Placed:
    """Return the kept places of rows as the inputs of an encoder.

    Where the class token is the last one (XLNet), it stands in the last place of the batch.
    """
    rows = [row[places].astype(np.int64) for row, places in zip(whole, kept, strict=True)]
    lengths = np.array([len(row) for row in rows])
    ends_in_class = all(len(row) and row[-1] == vocabulary.cls_token_id for row in rows)
    starts = lengths.max() - lengths if ends_in_class else np.zeros_like(lengths)
    shape = (len(rows), int(lengths.max()))
    arrays = {
        "input_ids": np.full(shape, padding_id(vocabulary), dtype=np.int64),
        "attention_mask": np.zeros(shape, dtype=np.int64),
        "token_type_ids": np.zeros(shape, dtype=np.int64),
    }
    for i, (start, row) in enumerate(zip(starts.tolist(), rows, strict=True)):
        place = slice(start, start + len(row))
        arrays["input_ids"][i, place] = row
        arrays["attention_mask"][i, place] = 1
        arrays["token_type_ids"][i, place] = token_types(row, vocabulary)
    return Placed(tensors(arrays), starts, kept)


def padding_id(vocabulary: Vocabulary) -> int:
    """Return the id that fills rows up; a decoder without one looks for its last text by the end's id."""
    ids = (vocabulary.pad_token_id, vocabulary.eos_token_id, 0)
    return next(each for each in ids if each is not None)
