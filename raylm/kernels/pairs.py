"""Two texts as one input: [CLS] first [SEP] second [SEP] (Devlin et al. 2019, figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.config.vocabulary import Vocabulary
from raylm.kernels.arrays import pad_id, padded, tensors
from raylm.kernels.frame import IGNORE_INDEX, Batch, Frame

if TYPE_CHECKING:
    from torch import Tensor

NUM_SPECIAL = 3
"""Tokens around and between the texts."""
SEED = 0x9E3779B9
"""Xored with a run's seed: what is drawn of pairs is not drawn again by what hides tokens."""


class Run(NamedTuple):
    """Consecutive sentences."""

    tokens: NDArray[np.int64]
    bounds: NDArray[np.int64]
    """Where each sentence starts, then where the last one ends."""

    @property
    def num_sentences(self) -> int:
        return len(self.bounds) - 1

    def halves(self, num_first: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the tokens of the first sentences and those of the rest."""
        return self.tokens[: self.bounds[num_first]], self.tokens[self.bounds[num_first] :]


class Pair(NamedTuple):
    """Two texts."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    label: int
    """0: the second follows the first; 1: it does not."""

    def joined(self, vocabulary: Vocabulary) -> NDArray[np.int64]:
        """Return both as one input."""
        cls, sep = vocabulary.id_of("cls_token"), vocabulary.id_of("sep_token")
        return np.concatenate([[cls], self.first, [sep], self.second, [sep]]).astype(np.int64)


def kept(
    first: NDArray[np.int64], second: NDArray[np.int64], room: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many tokens stay of two texts that are longer than the room: of the longer one fewer.

    Of the first its last ones are to stay, of the second its first ones, so that they still adjoin.
    """
    before = np.minimum(first, np.maximum(room - second, room - room // 2))
    return before, room - before


def run_of(tokens: NDArray[np.generic], offsets: NDArray[np.generic], vocabulary: Vocabulary) -> Run:
    """Return a row's run, without the token that ends a document, which would tell where the text is from.

    Args:
        tokens: of the run, perhaps cut off (`kept`) where it has two sentences.
        offsets: of its sentences in the split, then where the last one ends.
        vocabulary: of the tokens.
    """
    ids, bounds = tokens.astype(np.int64), offsets.astype(np.int64) - int(offsets[0])
    if bounds[-1] > len(ids):
        before, _ = kept(bounds[1:2], bounds[2:] - bounds[1:2], len(ids))
        bounds = np.array([0, before[0], len(ids)])
    if len(ids) and ids[-1] == vocabulary.eos_token_id:
        ids = ids[:-1]
    return Run(ids, np.minimum(bounds, len(ids)))


def stand_in(run: Run, room: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return whole sentences of a run, from a drawn one on, as many as fit in the room.

    The room is that of the text they stand in for: were they longer or broken off, that would tell them
    apart. A sentence that is longer than the room is cut off.
    """
    long_enough = np.flatnonzero(len(run.tokens) - run.bounds[:-1] >= room)
    number = int(rng.integers(len(long_enough))) if len(long_enough) else 0
    start = int(run.bounds[number])
    stop = int(run.bounds[np.searchsorted(run.bounds, start + room, side="right") - 1])
    return run.tokens[start : stop if stop > start else start + room]


def pair_batch(
    pairs: Sequence[Pair], hidden: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]], frame: Frame
) -> Batch:
    """Return the model's inputs, `labels` (B, T) of hidden tokens and `pair_labels` (B,).

    Args:
        pairs: the texts of each row.
        hidden: each row's joined texts with some tokens hidden, and their labels.
        frame: what else makes the batch.
    """
    length = frame.sequence_length
    second = [
        np.arange(len(tokens)) > len(pair.first) + 1 for pair, (tokens, _) in zip(pairs, hidden, strict=True)
    ]
    arrays = {
        "input_ids": padded([tokens for tokens, _ in hidden], length, pad_id(frame.vocabulary.pad_token_id)),
        "token_type_ids": padded(second, length, 0),
        "attention_mask": padded([np.ones(len(tokens)) for tokens, _ in hidden], length, 0),
        "labels": padded([labels for _, labels in hidden], length, IGNORE_INDEX),
        "pair_labels": np.array([pair.label for pair in pairs], dtype=np.int64),
    }
    return tensors(arrays)


def pair_loss(output: Any, batch: Batch) -> Tensor:
    """Return the summed cross-entropy, in float32, of a model's verdicts on the pairs."""
    from torch.nn import functional as F

    return F.cross_entropy(output.seq_relationship_logits.float(), batch["pair_labels"], reduction="sum")
