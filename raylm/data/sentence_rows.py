"""Rows of whole sentences, for objectives that judge whether two texts belong together.

A row is a run of consecutive sentences of one document, two at least and else as many as fit. With it goes
the run of a partner: another row, of another document of the same source, so that no source is read more than
its weight allows. The partner depends on the row's number alone. Ranges and inputs of rows are those of their
own runs: a partner's tokens are counted where they are a row's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from raylm.data.packing import Span
from raylm.data.sampler import mix
from raylm.kernels.pairs import kept

_BLOCK = 1 << 20  # sentences looked at together


class Sentences(Protocol):
    """What may be known of a split: where sentences, documents and sources begin and end."""

    @property
    def source_tokens(self) -> NDArray[np.int64]: ...
    @property
    def document_offsets(self) -> NDArray[np.int64]: ...
    @property
    def sentence_offsets(self) -> NDArray[np.int64]: ...


@dataclass(frozen=True, eq=False)
class SentenceRows:
    """A row plan: each row's own tokens and sentence offsets, then those of its partner."""

    offsets: NDArray[np.int64]
    """Of the sentences."""
    documents: NDArray[np.int64]
    """The first sentence of each document, then the number of all sentences."""
    firsts: NDArray[np.int64]
    """The first sentence of each row, ascending."""
    lasts: NDArray[np.int64]
    """The sentence after the row's last."""
    first_rows: NDArray[np.int64]
    """The first row of each source, then the number of all."""
    length: int
    notes: tuple[str, ...]

    @property
    def source_rows(self) -> tuple[int, ...]:
        return tuple(np.diff(self.first_rows).tolist())

    @property
    def num_rows(self) -> int:
        return len(self.firsts)

    def spans(self, row: int) -> tuple[Span, ...]:
        return (*self._spans(row), *self._spans(self.partner(row)))

    def ranges(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return _windows(self.offsets, self.firsts[rows], self.lasts[rows], self.length)

    def num_inputs(self, rows: NDArray[np.int64]) -> int:
        ranges = self.ranges(rows)
        return int((ranges[:, 1] - ranges[:, 0]).sum())

    def partner(self, row: int) -> int:
        """Return the row whose text may stand in for the second half of this one's.

        It is of another document of the same source; where there is none, another row; else the row itself.
        """
        source = int(np.searchsorted(self.first_rows, row, side="right"))
        first, last = self.first_rows[source - 1 : source + 1].tolist()
        document = int(np.searchsorted(self.documents, self.firsts[row], side="right"))
        start, stop = np.searchsorted(self.firsts, self.documents[document - 1 : document + 1]).tolist()
        if stop - start == last - first:
            start, stop = row, row + 1
        num_others = last - first - (stop - start)
        if not num_others:
            return row
        other = first + int(mix(np.array([row], dtype=np.uint64))[0]) % num_others
        return other if other < start else other + stop - start

    def _spans(self, row: int) -> tuple[Span, Span]:
        ((start, stop),) = self.ranges(np.array([row])).tolist()
        return Span("tokens", start, stop), Span("sentences", int(self.firsts[row]), int(self.lasts[row]) + 1)


def sentence_rows(split: Sentences, length: int) -> SentenceRows:
    """Return the rows of a split, of at most `length` tokens, two at least."""
    offsets = split.sentence_offsets
    documents = np.searchsorted(offsets, split.document_offsets)
    firsts, lasts = _runs(offsets, documents, length)
    is_lone = lasts - firsts == 1
    is_whole = np.isin(firsts, documents)  # of lone ones: the only sentence of its document
    left_out = offsets[lasts[is_lone & is_whole]] - offsets[firsts[is_lone & is_whole]]
    firsts, lasts = firsts[~(is_lone & is_whole)], lasts[~(is_lone & is_whole)]
    _join_lone(firsts, lasts)
    first_rows = np.searchsorted(firsts, np.searchsorted(offsets, split.source_tokens))
    windows = _windows(offsets, firsts, lasts, length)
    lost = offsets[lasts] - offsets[firsts] - (windows[:, 1] - windows[:, 0])
    notes = _notes(left_out, lost[lost > 0], length, _num_sole(firsts, documents, first_rows))
    return SentenceRows(offsets, documents, firsts, lasts, first_rows, length, notes)


def _runs(
    offsets: NDArray[np.int64], documents: NDArray[np.int64], length: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each run's first sentence and the one after its last; the last of a document may be alone."""
    firsts, lasts = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    place = 0
    for low in range(0, len(offsets) - 1, _BLOCK):
        numbers = np.arange(low, min(low + _BLOCK, len(offsets) - 1))
        near = offsets[low : low + len(numbers) + length + 1]  # a sentence has a token at least
        fitting = low - 1 + np.searchsorted(near, near[: len(numbers)] + length, side="right")
        ends = documents[np.searchsorted(documents, numbers, side="right")]
        after = np.minimum(np.maximum(fitting, numbers + 2), ends)
        found = []
        steps = after.tolist()
        while place - low < len(steps):
            found.append(place)
            place = steps[place - low]
        firsts.append(np.array(found, dtype=np.int64))
        lasts.append(after[firsts[-1] - low])
    return np.concatenate(firsts), np.concatenate(lasts)


def _join_lone(firsts: NDArray[np.int64], lasts: NDArray[np.int64]) -> None:
    """Give each run of one sentence the sentence before it; a run of two keeps its own as well."""
    lone = np.flatnonzero(lasts - firsts == 1)
    has_more = lasts[lone - 1] - firsts[lone - 1] > 2  # noqa: PLR2004 - the two that a pair needs
    firsts[lone] -= 1
    lasts[lone[has_more] - 1] -= 1


def _windows(
    offsets: NDArray[np.int64], firsts: NDArray[np.int64], lasts: NDArray[np.int64], length: int
) -> NDArray[np.int64]:
    """Return where runs start and stop (n, 2), of two sentences that are too long what adjoins."""
    starts, stops = offsets[firsts], offsets[lasts]
    middles = offsets[np.minimum(firsts + 1, lasts)]
    before, after = kept(middles - starts, stops - middles, length)
    is_long = stops - starts > length
    starts = np.where(is_long, middles - before, starts)
    return np.stack([starts, np.where(is_long, middles + after, stops)], axis=1)


def _num_sole(firsts: NDArray[np.int64], documents: NDArray[np.int64], first_rows: NDArray[np.int64]) -> int:
    """Return how many sources have all their rows of one document."""
    owners = np.searchsorted(documents, firsts, side="right")
    bounds = [each for each in pairwise(first_rows.tolist()) if each[1] > each[0]]
    return sum(bool(owners[first] == owners[last - 1]) for first, last in bounds)


def _notes(
    left_out: NDArray[np.int64], lost: NDArray[np.int64], length: int, num_sole: int
) -> tuple[str, ...]:
    notes = []
    if len(left_out):
        notes.append(
            f"{len(left_out):,} documents of a single sentence are left out with {left_out.sum():,} tokens: "
            f"a pair needs two"
        )
    if len(lost):
        notes.append(
            f"{len(lost):,} rows hold two sentences that are longer than {length:,} tokens and are cut off: "
            f"{lost.sum():,} tokens are left out"
        )
    if num_sole:
        notes.append(
            f"{num_sole:,} sources hold one document of several sentences: pairs that do not belong together "
            f"are made of one document there"
        )
    return tuple(notes)
