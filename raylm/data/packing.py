"""What a row is: an index over the documents' offsets, made for a row length and a policy; no token is read.

A row holds tokens of one source only, and rows are numbered source by source, so that sources can be mixed
and counted by row number alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from raylm.data.best_fit import best_fit

if TYPE_CHECKING:
    from raylm.data.section import DataSection


class Packing(NamedTuple):
    """How documents become rows; the fields are the data section's."""

    policy: Literal["stream", "best_fit", "document"] = "stream"
    long_documents: Literal["split", "truncate", "drop"] = "split"
    attend_across_documents: bool = True

    @classmethod
    def of(cls, section: DataSection) -> Packing:
        """Return a recipe's packing; what does not matter to its policy is left at the default."""
        long_documents = "split" if section.packing == "stream" else section.long_documents
        across = section.packing == "document" or section.attend_across_documents
        return cls(section.packing, long_documents, across)


class Span(NamedTuple):
    """Values [start, stop) of one column of a split."""

    column: str
    start: int
    stop: int
    joins: bool = False
    """Whether they stand in one array with the values of the span before."""


class Documents(Protocol):
    """What packing may know of a split: where documents and sources begin and end."""

    @property
    def source_tokens(self) -> NDArray[np.int64]: ...  # where each source's tokens start, then the end
    @property
    def source_documents(self) -> NDArray[np.int64]: ...  # its first document, then the number of all
    @property
    def document_offsets(self) -> NDArray[np.int64]: ...


class Rows(Protocol):
    """A row plan over documents of several sources."""

    @property
    def source_rows(self) -> tuple[int, ...]: ...  # rows of each source, numbered one source after the other
    @property
    def notes(self) -> tuple[str, ...]: ...  # what became of documents that do not fit, for a person to read
    @property
    def num_rows(self) -> int: ...
    def spans(self, row: int) -> tuple[Span, ...]: ...
    def ranges(self, rows: NDArray[np.int64]) -> NDArray[np.int64]: ...  # (n, 2): start and stop of all spans
    def num_inputs(self, rows: NDArray[np.int64]) -> int: ...  # tokens that a model reads in them


def pack(documents: Documents, packing: Packing, length: int, lookahead: int = 0) -> Rows:
    """Return the rows of a split.

    Args:
        documents: the split.
        packing: the policy.
        length: tokens that a model reads in a row, at most.
        lookahead: tokens beyond those that a row needs as targets, such as 1 to predict the next token.
    """
    if packing.policy == "stream":
        return Windows(documents, length, lookahead, is_cut=not packing.attend_across_documents)
    return pack_pieces(documents, packing, length, lookahead)


class Windows:
    """Consecutive windows over each source's documents as one text; the last one of a source may be short."""

    notes: tuple[str, ...] = ()

    def __init__(self, documents: Documents, length: int, lookahead: int, *, is_cut: bool) -> None:
        self._documents = documents
        self._length = length
        self._lookahead = lookahead
        self._is_cut = is_cut  # at the documents' borders, into pieces
        sizes = np.diff(documents.source_tokens)
        counts = np.maximum(0, -(-(sizes - lookahead) // length))
        self.source_rows = tuple(counts.tolist())
        self._first_rows = np.concatenate([[0], np.cumsum(counts)])
        # Plain numbers: a row is looked up for every sample.
        self._firsts: list[int] = self._first_rows.tolist()
        self._bounds: list[int] = documents.source_tokens.tolist()

    @property
    def num_rows(self) -> int:
        return self._firsts[-1]

    def spans(self, row: int) -> tuple[Span, ...]:
        if self._is_cut:
            pieces = self.ranges(np.array([row])).tolist()
            return tuple(Span("tokens", start, stop) for start, stop in pieces)
        source = 0
        while row >= self._firsts[source + 1]:
            source += 1
        start = self._bounds[source] + (row - self._firsts[source]) * self._length
        stop = min(start + self._length + self._lookahead, self._bounds[source + 1])
        return (Span("tokens", start, stop),)

    def ranges(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        bounds = self._documents.source_tokens
        source = np.searchsorted(self._first_rows, rows, side="right") - 1
        starts = bounds[source] + (rows - self._first_rows[source]) * self._length
        stops = np.minimum(starts + self._length + self._lookahead, bounds[source + 1])
        whole = np.stack([starts, stops], axis=1)
        return self._cut(whole) if self._is_cut else whole

    def num_inputs(self, rows: NDArray[np.int64]) -> int:
        ranges = self.ranges(rows)
        return int((ranges[:, 1] - ranges[:, 0] - self._lookahead).sum())

    def _cut(self, windows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cut windows where a document ends; a piece that holds no target is left out."""
        offsets = self._documents.document_offsets
        low = np.searchsorted(offsets, windows[:, 0], side="right")
        high = np.searchsorted(offsets, windows[:, 1], side="left")
        counts = high - low + 1
        window, number = _numbered(counts)
        border = low[window] + number  # the offset at which a piece ends, if its window does not end before
        starts = np.where(number == 0, windows[window, 0], offsets[border - 1])
        is_last = number == counts[window] - 1
        stops = np.where(is_last, windows[window, 1], offsets[np.minimum(border, len(offsets) - 1)])
        return np.stack([starts, stops], axis=1)[stops - starts > self._lookahead]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Rows of one piece of text or several, each a document or a part of one."""

    starts: NDArray[np.int64]
    """Of the pieces, in the order of the rows."""
    stops: NDArray[np.int64]
    first_pieces: NDArray[np.int64]
    """Of each row its first piece, then the number of all."""
    source_rows: tuple[int, ...]
    lookahead: int
    is_joined: bool
    """Whether the pieces of a row make one text for the model."""
    notes: tuple[str, ...]

    @property
    def num_rows(self) -> int:
        return len(self.first_pieces) - 1

    def spans(self, row: int) -> tuple[Span, ...]:
        first, last = self.first_pieces[row], self.first_pieces[row + 1]
        starts, stops = self.starts[first:last].tolist(), self.stops[first:last].tolist()
        return tuple(Span("tokens", *ends, self.is_joined) for ends in zip(starts, stops, strict=True))

    def ranges(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        row, number = _numbered(self._counts[rows])
        piece = self.first_pieces[rows][row] + number
        return np.stack([self.starts[piece], self.stops[piece]], axis=1)

    def num_inputs(self, rows: NDArray[np.int64]) -> int:
        ranges = self.ranges(rows)
        num_ends = len(rows) if self.is_joined else len(ranges)
        return int((ranges[:, 1] - ranges[:, 0]).sum()) - self.lookahead * num_ends

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        return np.diff(self.first_pieces)


def pack_pieces(documents: Documents, packing: Packing, length: int, lookahead: int) -> Pieces:
    """Return the rows of a policy that keeps documents apart; the arguments are those of `pack`.

    The documents are cut by the policy for long ones, then the pieces of each source are put into rows.
    """
    limits = np.concatenate([[0], documents.source_documents[1:]])
    bins, pieces = [], []
    losses = np.zeros(3, dtype=np.int64)
    for first, last in zip(limits[:-1].tolist(), limits[1:].tolist(), strict=True):
        offsets = documents.document_offsets[first : last + 1]
        found, lost = _cut_documents(offsets, packing, length, lookahead)
        placed = _place(found, packing, length, lookahead)
        order = np.argsort(placed, kind="stable")  # pieces of a row in the order of the text
        pieces.append(found[order])
        bins.append(np.bincount(placed, minlength=0))
        losses += lost
    counts = np.concatenate(bins)
    ends = np.concatenate(pieces)
    return Pieces(
        starts=np.ascontiguousarray(ends[:, 0]),
        stops=np.ascontiguousarray(ends[:, 1]),
        first_pieces=np.concatenate([[0], np.cumsum(counts)]),
        source_rows=tuple(map(len, bins)),
        lookahead=lookahead,
        is_joined=packing.attend_across_documents,
        notes=_notes(losses.tolist(), packing, length),
    )


def _cut_documents(
    offsets: NDArray[np.int64], packing: Packing, length: int, lookahead: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return starts and stops of the pieces (n, 2), and what does not fit.

    That is documents too short, documents too long, and the tokens that the long ones lose.
    """
    sizes = np.diff(offsets)
    counts = np.maximum(0, -(-(sizes - lookahead) // length))
    is_long = counts > 1
    if packing.long_documents == "truncate":
        counts = np.minimum(counts, 1)
    elif packing.long_documents == "drop":
        counts = np.where(is_long, 0, counts)
    document, number = _numbered(counts)
    starts = offsets[document] + number * length
    stops = np.minimum(starts + length + lookahead, offsets[document + 1])
    kept = np.minimum(sizes, counts * length + lookahead) * (counts > 0)
    lost = [np.count_nonzero(sizes <= lookahead), np.count_nonzero(is_long), (sizes - kept)[is_long].sum()]
    return np.stack([starts, stops], axis=1), np.array(lost, dtype=np.int64)


def _place(pieces: NDArray[np.int64], packing: Packing, length: int, lookahead: int) -> NDArray[np.int64]:
    """Return the row of each piece within its source."""
    if packing.policy == "document":
        return np.arange(len(pieces))
    sizes = pieces[:, 1] - pieces[:, 0]
    if packing.attend_across_documents:
        return best_fit(sizes, length + lookahead)
    return best_fit(sizes - lookahead, length)  # each piece keeps its own targets


def _numbered(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for every part its whole and its number there: counts [2, 1] give [0, 0, 1] and [0, 1, 0]."""
    whole = np.repeat(np.arange(len(counts)), counts)
    return whole, np.arange(len(whole)) - np.repeat(np.cumsum(counts) - counts, counts)


def _notes(losses: list[int], packing: Packing, length: int) -> tuple[str, ...]:
    num_short, num_long, num_tokens = losses
    notes = []
    if num_short:
        notes.append(f"{num_short:,} documents are too short to predict a token in and are left out")
    if num_long:
        fate = {
            "split": "are cut into several rows",
            "truncate": f"are cut off: {num_tokens:,} tokens are left out (data.long_documents: truncate)",
            "drop": f"are left out with {num_tokens:,} tokens (data.long_documents: drop)",
        }
        notes.append(
            f"{num_long:,} documents are longer than a row of {length:,} tokens and "
            f"{fate[packing.long_documents]}"
        )
    return tuple(notes)
