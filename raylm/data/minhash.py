"""MinHash with banding: which texts may be near duplicates, without comparing all with all.

Broder 1997 (On the resemblance and containment of documents); Leskovec et al. (Mining of Massive Datasets,
sections 3.3 and 3.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from raylm.data.shingles import Batch, Hashes, constants, mix

_LEADERS = 8
"""In a bucket of more documents than this, all are compared with its first ones only: a bucket of m copies
then costs 8 m comparisons, not m squared. Its other pairs mostly meet in smaller buckets of other bands."""
_COLUMN_BYTES = 1 << 25
"""Bands read at a time: as many as fit in this."""


def band_hashes(shingles: Batch, num_bands: int, rows_per_band: int, min_shingles: int = 1) -> Hashes:
    """Return a hash for each band of each text, (texts, num_bands).

    Two texts agree in a band with probability J**rows_per_band, where J is their Jaccard similarity. A text
    with fewer than `min_shingles` has zeros, which agree with nothing.
    """
    count = num_bands * rows_per_band
    factors = (constants(count, 1) >> np.uint64(32)).astype(np.uint32) | np.uint32(1)
    offsets = (constants(count, 2) >> np.uint64(32)).astype(np.uint32)
    values = (shingles.hashes >> np.uint64(32)).astype(np.uint32)
    permuted = np.empty_like(values)
    bands = np.zeros((len(shingles.bounds) - 1, num_bands), np.uint64)
    for number in range(count):
        np.multiply(values, factors[number], out=permuted)
        permuted += offsets[number]
        smallest = np.minimum.reduceat(permuted, shingles.bounds[:-1])
        bands[:, number // rows_per_band] = mix(bands[:, number // rows_per_band] + smallest + np.uint64(1))
    bands[np.diff(shingles.bounds) < min_shingles] = 0
    return bands


def candidate_pairs(sketches: Sequence[NDArray[np.generic]]) -> NDArray[np.int64]:
    """Return the pairs of rows that agree in a column, (pairs, 2): first < second, ascending, none twice.

    In a column with many equal values only pairs with one of the first few are returned.
    """
    num_rows = sum(len(sketch) for sketch in sketches)
    found = np.zeros(0, np.uint64)
    for column in _columns(sketches, num_rows):
        found = np.union1d(found, _pairs_of_equal(column))
    return np.stack((found >> np.uint64(32), found & np.uint64(0xFFFFFFFF)), axis=1).astype(np.int64)


def _columns(sketches: Sequence[NDArray[np.generic]], num_rows: int) -> Iterator[NDArray[np.generic]]:
    """Yield the columns over all blocks; one block at a time is held open."""
    if not num_rows:
        return
    num_columns = sketches[0].shape[1]
    together = max(1, _COLUMN_BYTES // (8 * num_rows))
    for first in range(0, num_columns, together):
        part = np.empty((min(together, num_columns - first), num_rows), np.uint64)
        start = 0
        for sketch in sketches:
            part[:, start : start + len(sketch)] = sketch[:, first : first + together].T
            start += len(sketch)
        yield from part


def _pairs_of_equal(column: NDArray[np.generic]) -> Hashes:
    """Return pairs of rows with the same value, each pair in one number, the lower row in the upper half."""
    order = np.argsort(column, kind="stable")
    values = column[order]
    (firsts,) = np.nonzero(np.append(True, values[1:] != values[:-1]))
    lengths = np.diff(firsts, append=len(values))
    shared = (lengths > 1) & (values[firsts] != 0)
    firsts, lengths = firsts[shared], lengths[shared]
    members = np.repeat(firsts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    leaders, rank = np.repeat(firsts, lengths), members - np.repeat(firsts, lengths)
    pairs = [
        order[leaders[rank > nth] + nth].astype(np.uint64) << np.uint64(32)
        | order[members[rank > nth]].astype(np.uint64)
        for nth in range(min(_LEADERS, int(lengths.max(initial=1)) - 1))
    ]
    return np.unique(np.concatenate(pairs)) if pairs else np.zeros(0, np.uint64)
