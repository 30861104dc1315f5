"""Rows of a task: one record a row, or several packed into one, each token with its target."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from raylm.data.packing import Rows, Span


class Records(Protocol):
    """What may be known of a split: where rows, targets and sources begin and end."""

    @property
    def source_documents(self) -> NDArray[np.int64]: ...
    @property
    def document_offsets(self) -> NDArray[np.int64]: ...
    @property
    def target_offsets(self) -> NDArray[np.int64]: ...


class RecordRows:
    """A row plan: of each row its tokens, whatever their number, and its target."""

    def __init__(self, split: Records, length: int) -> None:
        self._tokens = split.document_offsets
        self._targets = split.target_offsets
        self._length = length
        self.source_rows = tuple(np.diff(split.source_documents).tolist())

    @property
    def notes(self) -> tuple[str, ...]:
        sizes = np.diff(self._tokens)
        num_long = int(np.count_nonzero(sizes > self._length))
        if not num_long:
            return ()
        share = f"{num_long:,} of {len(sizes):,} rows are longer than {self._length:,} tokens"
        return (f"{share} and are cut off (train.sequence_length)",)

    @property
    def num_rows(self) -> int:
        return len(self._tokens) - 1

    def spans(self, row: int) -> tuple[Span, Span]:
        tokens = Span("tokens", int(self._tokens[row]), int(self._tokens[row + 1]))
        return tokens, Span("target", int(self._targets[row]), int(self._targets[row + 1]))

    def ranges(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        starts = self._tokens[rows]
        return np.stack([starts, np.minimum(self._tokens[rows + 1], starts + self._length)], axis=1)

    def num_inputs(self, rows: NDArray[np.int64]) -> int:
        ranges = self.ranges(rows)
        return int((ranges[:, 1] - ranges[:, 0]).sum())


class PackedRows:
    """A row plan over another one: each array of tokens is followed by that of its targets."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.source_rows = rows.source_rows
        self.notes = rows.notes
        self.num_rows = rows.num_rows
        self.ranges = rows.ranges
        self.num_inputs = rows.num_inputs

    def spans(self, row: int) -> tuple[Span, ...]:
        spans = self._rows.spans(row)
        return tuple(Span(column, *span[1:3]) for span in spans for column in ("tokens", "target"))
