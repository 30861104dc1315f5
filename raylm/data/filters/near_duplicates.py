"""Documents almost the same as an earlier one, in any source: MinHash, then exact Jaccard similarity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from tempfile import TemporaryFile
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from raylm.config.sections import knob
from raylm.data.filters import CorpusFilter, Twin
from raylm.data.minhash import band_hashes, candidate_pairs
from raylm.data.shingles import Hashes, Unit, jaccard, shingle_batches, shingle_set


class NearDuplicates(CorpusFilter):
    """Keeps the first of documents that are alike.

    A document like another that is like a third belongs with both, so that the order of the comparisons does
    not matter. What the defaults find and miss is measured by bench/near_duplicates.py.
    """

    kind: Literal["near_duplicates"] = "near_duplicates"
    shingle: Unit = "words"
    """What a shingle is made of. Case makes no difference to either, punctuation none to words, the width of
    white space none to characters."""
    shingle_size: int = knob(3, unit="words or characters", ge=1, le=50)
    """Words (or characters) in one shingle. A changed word changes as many shingles: more are stricter."""
    threshold: float = knob(0.5, gt=0, le=1)
    """Share of shingles that near duplicates have in common at least (Jaccard similarity)."""
    min_shingles: int = knob(10, unit="shingles", ge=1, le=10**6)
    """Documents with fewer are kept: titles that differ in one word are no duplicates. Exact copies of them
    are found by exact_duplicates."""
    num_bands: int = knob(32, unit="bands", ge=1, le=1024, advanced=True)
    """Documents are compared when they agree in one band; the more, the fewer are missed."""
    rows_per_band: int = knob(4, unit="hashes", ge=1, le=64, advanced=True)
    """MinHash values in a band. A pair of similarity J is compared with probability
    1 - (1 - J**rows_per_band)**num_bands."""

    def sketch(self, texts: Sequence[str]) -> NDArray[np.generic]:
        parts = [
            band_hashes(batch, self.num_bands, self.rows_per_band, self.min_shingles)
            for batch in shingle_batches(texts, self.shingle, self.shingle_size)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.num_bands), np.uint64)

    def decide(
        self, sketches: Sequence[NDArray[np.generic]], text: Callable[[int], str]
    ) -> Mapping[int, Twin]:
        pairs = candidate_pairs(sketches)
        with _Shingles(lambda number: shingle_set(text(number), self.shingle, self.shingle_size)) as sets:
            sets.load(np.unique(pairs).tolist())
            groups = _Groups()
            for one, other in pairs.tolist():
                if groups.first(one) != groups.first(other) and sets.may_reach(self.threshold, one, other):
                    similarity = sets.similarity(one, other)
                    if similarity >= self.threshold:
                        groups.join(one, other, similarity)
            return {
                number: Twin(first, "near_duplicate", _detail(sets.similarity(first, number), closest))
                for number, first, closest in groups.followers()
            }


def _detail(to_kept: float, closest: float) -> str:
    direct = f"Jaccard {to_kept:.2f}"
    return direct if to_kept >= closest else f"{direct}, {closest:.2f} with another copy"


class _Shingles:
    """The shingles of the candidates, in a file: together they may be larger than memory."""

    def __init__(self, compute: Callable[[int], Hashes]) -> None:
        self._compute = compute
        self._file = TemporaryFile()  # noqa: SIM115 (closed on exit)
        self._places: dict[int, tuple[int, int]] = {}
        self._last: tuple[int, Hashes] = (-1, np.zeros(0, np.uint64))

    def __enter__(self) -> _Shingles:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def load(self, numbers: Sequence[int]) -> None:
        place = 0
        for number in numbers:
            shingles = self._compute(number)
            self._file.write(shingles.tobytes())
            self._places[number] = (place, len(shingles))
            place += shingles.nbytes

    def may_reach(self, threshold: float, one: int, other: int) -> bool:
        """Return whether the sizes allow a similarity of at least the threshold."""
        sizes = self._places[one][1], self._places[other][1]
        return min(sizes) >= threshold * max(sizes)

    def similarity(self, one: int, other: int) -> float:
        if self._last[0] != one:
            self._last = one, self._read(one)
        return jaccard(self._last[1], self._read(other))

    def _read(self, number: int) -> Hashes:
        place, count = self._places[number]
        self._file.seek(place)
        return np.frombuffer(self._file.read(8 * count), np.uint64)


class _Groups:
    """Documents that belong together, each group under its first one."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}
        self._closest: dict[int, float] = {}

    def first(self, number: int) -> int:
        above = self._above.get(number, number)
        while above != number:
            self._above[number] = self._above.get(above, above)  # halve the path for the next one
            number, above = above, self._above.get(above, above)
        return number

    def join(self, one: int, other: int, similarity: float) -> None:
        low, high = sorted((self.first(one), self.first(other)))
        self._above[high] = low
        for number in (one, other):
            self._closest[number] = max(similarity, self._closest.get(number, 0))

    def followers(self) -> list[tuple[int, int, float]]:
        """Return every document but the first of each group: its number, its first, its best similarity."""
        pairs = [(number, self.first(number)) for number in sorted(self._above)]
        return [(number, first, self._closest[number]) for number, first in pairs]
