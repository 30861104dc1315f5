"""What stands more than once in one text: lines, paragraphs, runs of words (n-grams)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.data.shingles import Hashes, mix

_BASE = np.uint64(0x9E3779B97F4A7C15)


class Repeated(NamedTuple):
    """The parts of a text that stood before in it."""

    share: float
    """Of all parts."""
    character_share: float
    """Of the characters of all parts."""
    first: str
    """The first part that stood before; "" when none did."""


def repeated(parts: Sequence[str]) -> Repeated:
    """Measure the parts, such as lines, that are the same as an earlier one."""
    num_characters = sum(map(len, parts))
    if len(set(parts)) == len(parts):
        return Repeated(0.0, 0.0, "")
    seen: set[str] = set()
    again = [part for part in parts if part in seen or seen.add(part)]
    return Repeated(len(again) / len(parts), sum(map(len, again)) / max(1, num_characters), again[0])


class Gram(NamedTuple):
    """How much of a text repeated runs of `num_words` words cover, and one such run."""

    num_words: int
    character_share: float
    text: str


class Words:
    """The words of a text as numbers; a word counts with the space after it.

    Runs of words are compared by 64-bit hashes of exact word numbers, so that the same text gives the same
    answer anywhere.
    """

    def __init__(self, words: list[str]) -> None:
        numbers = {word: number for number, word in enumerate(dict.fromkeys(words), start=1)}
        self._words = words
        self._hashes = mix(np.fromiter(map(numbers.__getitem__, words), np.uint64, len(words)))
        lengths = np.fromiter(map(len, words), np.int64, len(words)) + 1
        self._ends = np.concatenate(([0], np.cumsum(lengths)))

    def top_grams(self, sizes: Sequence[int]) -> Iterator[Gram]:
        """Yield for each n how much the most frequent n-gram covers, if it stands more than once."""
        for size in sizes:
            starts = _most_frequent(self._grams(size))
            if len(starts):
                yield self._gram(size, starts)

    def duplicate_grams(self, sizes: range) -> Iterator[Gram]:
        """Yield for each n how much the n-grams cover that stood before, as long as there are any.

        Characters in n-grams that overlap count once (Rae et al. 2021, A.1.1).
        """
        grams = self._grams(sizes.start)
        among = np.arange(len(grams))
        for size in sizes:
            among = among[among <= len(self._words) - size]
            if size > sizes.start:
                grams = grams[: len(among)] * _BASE + self._hashes[among + size - 1]
            grams, among, later = _same(grams[: len(among)], among)
            if not len(later):
                return
            yield self._gram(size, later)

    def _grams(self, size: int) -> Hashes:
        """Return a hash for each run of `size` words."""
        count = max(0, len(self._words) - size + 1)
        grams = self._hashes[:count].copy()
        for ahead in range(1, size):
            grams *= _BASE
            grams += self._hashes[ahead : ahead + count]
        return grams

    def _gram(self, size: int, starts: NDArray[np.int64]) -> Gram:
        """Return what runs of words cover that begin at these places, in order."""
        ends = starts + size
        fresh = np.maximum(starts[1:], ends[:-1])  # where each run goes beyond the one before
        characters = int((self._ends[ends] - self._ends[np.concatenate((starts[:1], fresh))]).sum())
        first = int(starts[0])
        return Gram(size, characters / int(self._ends[-1]), " ".join(self._words[first : first + size]))


def _most_frequent(grams: Hashes) -> NDArray[np.int64]:
    """Return the places of the most frequent value, the earliest of several; none if all differ."""
    ordered = np.sort(grams)
    bounds = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1], [True])))
    counts = np.diff(bounds)
    if not len(grams) or counts.max() == 1:
        return np.zeros(0, np.int64)
    most = ordered[bounds[:-1][counts == counts.max()]]
    first = np.flatnonzero(np.isin(grams, most))[0]
    return np.flatnonzero(grams == grams[first])


def _same(grams: Hashes, places: NDArray[np.int64]) -> tuple[Hashes, NDArray[np.int64], NDArray[np.int64]]:
    """Return the values that stand more than once, their places, and the places of all but each first one."""
    order = np.argsort(grams, kind="stable")
    as_before = grams[order[1:]] == grams[order[:-1]]
    is_later = np.zeros(len(grams), np.bool_)
    is_later[order[1:]] = as_before
    is_any = is_later.copy()
    is_any[order[:-1]] |= as_before
    return grams[is_any], places[is_any], places[is_later]
