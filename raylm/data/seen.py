"""Which tokens of a source a model has seen: computed from the cursor alone, as the order of rows is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from raylm.data.mixture import Order
from raylm.data.packing import Documents

_CHUNK = 1 << 20  # rows looked at together


class Plan(Protocol):
    """What must be known of an objective's rows."""

    def ranges(self, rows: NDArray[np.int64]) -> NDArray[np.int64]: ...
    def num_inputs(self, rows: NDArray[np.int64]) -> int: ...
    @property
    def source_rows(self) -> Sequence[int]: ...


class Seen(NamedTuple):
    """What was seen of one source; ranges are [start, stop) and count from the source's own first one."""

    sequences: int
    tokens: int
    """Read by the model, each as often as it was read."""
    epochs: float
    """Passes over the source's rows."""
    distinct_tokens: int
    """Read or predicted at least once."""
    num_tokens: int
    """Of the source, in the training split."""
    token_ranges: NDArray[np.int64]
    document_ranges: NDArray[np.int64]
    """Documents of which something was seen."""

    @property
    def share(self) -> float:
        """Distinct tokens seen, of all the source's training tokens."""
        return self.distinct_tokens / max(1, self.num_tokens)


def seen(documents: Documents, plan: Plan, order: Order, source: int, cursor: int) -> Seen:
    """Return what the first `cursor` samples hold of a source.

    Args:
        documents: the training split.
        plan: its rows, as the objective makes them.
        order: in which they are drawn.
        source: number of the source.
        cursor: the global sample index of the first sample that was not drawn.
    """
    drawn = order.drawn(source, cursor)
    first, count = sum(plan.source_rows[:source]), plan.source_rows[source]
    everything = np.arange(first, first + count) if drawn.num_epochs else np.empty(0, dtype=np.int64)
    start, stop = documents.source_tokens[source : source + 2].tolist()
    tokens = _merged_ranges(plan, everything if drawn.num_epochs else drawn.rows)
    touched = _documents_of(documents.document_offsets, tokens)
    return Seen(
        sequences=drawn.num_samples,
        tokens=drawn.num_epochs * _num_inputs(plan, everything) + _num_inputs(plan, drawn.rows),
        epochs=drawn.num_samples / max(1, count),
        distinct_tokens=int((tokens[:, 1] - tokens[:, 0]).sum()),
        num_tokens=stop - start,
        token_ranges=tokens - start,
        document_ranges=touched - int(documents.source_documents[source]),
    )


def _num_inputs(plan: Plan, rows: NDArray[np.int64]) -> int:
    return sum(plan.num_inputs(rows[at : at + _CHUNK]) for at in range(0, len(rows), _CHUNK))


def _merged_ranges(plan: Plan, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    parts = [merged(plan.ranges(rows[at : at + _CHUNK])) for at in range(0, len(rows), _CHUNK)]
    return merged(np.concatenate([np.empty((0, 2), dtype=np.int64), *parts]))


def merged(ranges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the fewest ranges that hold the same numbers, ascending; (n, 2)."""
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ranges[:, 1])
    is_new = np.concatenate([[True], ranges[1:, 0] > reach[:-1]])[: len(ranges)]
    is_last = np.concatenate([is_new[1:], [True]])[: len(ranges)]
    return np.stack([ranges[is_new, 0], reach[is_last]], axis=1)


def _documents_of(offsets: NDArray[np.int64], tokens: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ranges of documents that ranges of tokens touch."""
    first = np.searchsorted(offsets, tokens[:, 0], side="right") - 1
    last = np.searchsorted(offsets, tokens[:, 1], side="left")
    return merged(np.stack([first, last], axis=1))
