"""What a training objective is; every other file here is one objective.

An objective says what a row of the data is (`row_plan`), how rows become a batch (`make_batch`), how many
targets each of its losses has (`counts`) and what the losses are (`loss`). Losses are sums, never means: the
engine divides by the count over all micro-batches and workers, so that any batching gives the same gradient.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from raylm.config.choice import Choice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor
    from transformers import PreTrainedModel

IGNORE_INDEX = -100  # the label that torch's cross_entropy leaves out

Batch: TypeAlias = "dict[str, Tensor]"


class Span(Protocol):
    """Values [start, stop) of one column of a split; if it joins, in one array with the span before."""

    @property
    def column(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def stop(self) -> int: ...
    @property
    def joins(self) -> bool: ...


class RowPlan(Protocol):
    """Maps a row number to the spans of the split that make it up, in O(1) or O(log n)."""

    @property
    def source_rows(self) -> Sequence[int]: ...  # rows of each source, numbered one source after the other
    @property
    def notes(self) -> Sequence[str]: ...  # what became of documents that do not fit
    @property
    def num_rows(self) -> int: ...
    def spans(self, row: int) -> Sequence[Span]: ...
    def ranges(self, rows: NDArray[np.int64]) -> NDArray[np.int64]: ...  # (n, 2): start, stop of all spans
    def num_inputs(self, rows: NDArray[np.int64]) -> int: ...  # tokens that the model reads in these rows


class Split(Protocol):
    """What a row plan may know of the data: where documents begin and end, never the values."""

    def rows(self, length: int, lookahead: int = 0) -> RowPlan:
        """Return rows of at most `length` tokens to read and `lookahead` more as targets."""
        ...


class Row(Protocol):
    """One row as read: its global sample index, its arrays in span order, its own random generator."""

    @property
    def index(self) -> int: ...
    @property
    def arrays(self) -> tuple[np.ndarray, ...]: ...
    def rng(self, seed: int) -> np.random.Generator: ...


class Objective(Choice):
    """What the model learns to predict."""

    @abstractmethod
    def row_plan(self, split: Split, sequence_length: int) -> RowPlan:
        """Return which spans of the split make up each row; the split knows how documents are packed."""

    @abstractmethod
    def make_batch(self, rows: Sequence[Row], sequence_length: int, seed: int) -> Batch:
        """Turn B rows into tensors (B, sequence_length): the model's inputs and what the loss needs."""

    @abstractmethod
    def counts(self, batch: Batch) -> dict[str, int]:
        """Return how many targets each named loss has in the batch; known before the forward pass."""

    @abstractmethod
    def num_inputs(self, batch: Batch) -> int:
        """Return the tokens that the model reads in the batch, padding left out."""

    @abstractmethod
    def loss(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        """Run the model and return each named loss as a float32 sum over its targets."""

    def weights(self) -> Mapping[str, float]:
        """Return how much each named loss counts in the total."""
        return {"loss": 1.0}
