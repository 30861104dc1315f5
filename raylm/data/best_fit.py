"""Best-fit decreasing over whole groups of equal items: a million documents are put into rows in a second.

Ding et al. 2024, "Fewer Truncations Improve Language Modeling", section 3: every piece goes, largest first,
into the row with the least room that still takes it. Pieces are whole numbers of tokens, so that equal pieces
and rows with equal room can be handled together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WORD = 1024  # bits of one number in the set of rooms


def best_fit(sizes: NDArray[np.int64], capacity: int) -> NDArray[np.int64]:
    """Return the bin of each item, (n,); bins are numbered from 0 in the order in which they are opened.

    Args:
        sizes: of the items, each from 1 to `capacity`.
        capacity: of a bin.
    """
    order = np.argsort(-sizes, kind="stable")
    bins = np.empty(len(sizes), dtype=np.int64)
    counts = np.bincount(sizes, minlength=1)
    room = _Room(capacity)
    first = 0
    for size in np.flatnonzero(counts)[::-1].tolist():
        left = int(counts[size])
        while left:
            placed = room.place(size, left)
            bins[order[first : first + len(placed)]] = placed
            first += len(placed)
            left -= len(placed)
    return bins


class _Room:
    """The open bins by how much room each has left."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._num_bins = 0
        self._groups: dict[int, list[NDArray[np.int64]]] = {}
        self._rooms = _NumberSet(capacity)

    def place(self, size: int, count: int) -> NDArray[np.int64]:
        """Put up to `count` items of one size where they fit best; return the bin of each that was put.

        The tightest bin stays the tightest while it takes another such item, so it is filled at once, and all
        bins of equal room alike.
        """
        room = self._rooms.lowest_from(size)
        room = self._capacity if room is None else room
        each = room // size
        group = self._take(room, -(-count // each))
        placed = np.repeat(group, each)[:count]
        full, rest = divmod(len(placed), each)
        self._put(room - each * size, group[:full])
        self._put(room - rest * size, group[full:])
        return placed

    def _take(self, room: int, count: int) -> NDArray[np.int64]:
        """Return at most `count` bins of this room, new ones if none is open."""
        groups = self._groups.get(room)
        if not groups:
            self._num_bins += count
            return np.arange(self._num_bins - count, self._num_bins)
        group = groups.pop()
        if len(group) > count:
            groups.append(group[count:])
        elif not groups:
            self._rooms.discard(room)
        return group[:count]

    def _put(self, room: int, group: NDArray[np.int64]) -> None:
        if room and len(group):
            self._groups.setdefault(room, []).append(group)
            self._rooms.add(room)


class _NumberSet:
    """Numbers 0 .. limit, and the lowest from a given one on, in a few operations on words of bits."""

    def __init__(self, limit: int) -> None:
        self._words = [0] * (limit // _WORD + 1)
        self._filled = 0  # bit i: word i is not empty

    def add(self, number: int) -> None:
        self._words[number // _WORD] |= 1 << number % _WORD
        self._filled |= 1 << number // _WORD

    def discard(self, number: int) -> None:
        self._words[number // _WORD] &= ~(1 << number % _WORD)
        if not self._words[number // _WORD]:
            self._filled &= ~(1 << number // _WORD)

    def lowest_from(self, number: int) -> int | None:
        word, bit = divmod(number, _WORD)
        if high := self._words[word] >> bit:
            return number + _lowest_bit(high)
        if higher := self._filled >> (word + 1):
            word += 1 + _lowest_bit(higher)
            return word * _WORD + _lowest_bit(self._words[word])
        return None


def _lowest_bit(value: int) -> int:
    return (value & -value).bit_length() - 1
