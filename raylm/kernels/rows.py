"""What objectives may know of the data: rows, the spans that make them up, and how a split gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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

    def sentence_rows(self, length: int) -> RowPlan:
        """Return rows of at most `length` tokens: sentences of one document, then those of another row.

        Each is two arrays: its tokens, and where its sentences start in the split, then where the last ends.
        """
        ...

    def record_rows(self, length: int) -> RowPlan:
        """Return a row for each row of a task: all of its tokens, and its target."""
        ...

    def packed_rows(self, length: int, lookahead: int = 0) -> RowPlan:
        """Return rows of a task as `rows` does: each array of tokens is followed by that of their targets."""
        ...


class Row(Protocol):
    """One row as read: its global sample index, its row number, its arrays in span order."""

    @property
    def index(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def arrays(self) -> tuple[np.ndarray, ...]: ...
    def rng(self, seed: int) -> np.random.Generator: ...  # another one each time the row is drawn
    def fixed_rng(self, seed: int) -> np.random.Generator: ...  # the same one each time
