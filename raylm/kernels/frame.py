"""Plain values that objectives and the engine exchange."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from raylm.config.vocabulary import Vocabulary

if TYPE_CHECKING:
    from torch import Tensor

IGNORE_INDEX = -100  # the label that torch's cross_entropy leaves out

Batch: TypeAlias = "dict[str, Tensor]"


class Frame(NamedTuple):
    """What rows need to become a batch, beyond themselves."""

    sequence_length: int
    seed: int
    vocabulary: Vocabulary


class Request(NamedTuple):
    """A text whose probability is asked for, given the text before it."""

    context: NDArray[np.int64]
    """Ids (C,); may be empty."""
    text: NDArray[np.int64]
    """Ids (N,)."""

    def within(self, length: int) -> Request:
        """Return as much as fits into `length` ids: what comes first is left out."""
        text = self.text[-length:] if length else self.text[:0]
        return Request(self.context[max(0, len(self.context) + len(text) - length) :], text)


class Scoring(NamedTuple):
    """Rows whose labelled targets make up the log-probabilities of some texts."""

    batch: Batch
    """The model's inputs and `labels`, as a training batch."""
    owners: Sequence[int]
    """Of each row, the number of the request that it belongs to."""
