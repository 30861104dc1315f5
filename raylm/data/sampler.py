"""Which row stands at a global sample index: a seeded permutation of each epoch, computed in O(1) memory.

The data cursor of a run is one integer. Nothing here knows the number of workers, so a run that is resumed or
resized sees every sample once and in the same order.
"""

import numpy as np
from numpy.typing import NDArray

# Four Feistel rounds make a strong permutation (Luby and Rackoff 1988); ranges of few bits want more.
NUM_ROUNDS = 8
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MASK_64 = (1 << 64) - 1


def mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64 bits (the finalizer of splitmix64, Steele et al. 2014)."""
    value = value + _GOLDEN
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _feistel(value: NDArray[np.uint64], num_bits: int, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Permute the numbers of `num_bits` bits: each half in turn is xored with a hash of the other."""
    low_bits = np.uint64((num_bits + 1) // 2)
    low_mask = (np.uint64(1) << low_bits) - np.uint64(1)
    high_mask = (np.uint64(1) << np.uint64(num_bits // 2)) - np.uint64(1)
    low, high = value & low_mask, value >> low_bits
    for number in range(NUM_ROUNDS):
        round_keys = mix(keys + np.uint64(number))
        if number % 2:
            high = high ^ (mix(low ^ round_keys) & high_mask)
        else:
            low = low ^ (mix(high ^ round_keys) & low_mask)
    return (high << low_bits) | low


def permute(positions: NDArray[np.int64], num_rows: int, key: int | NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return where each position in [0, num_rows) goes under the permutation that `key` picks.

    `key` is one number or one for each position. A Feistel network permutes the next power of two; what falls
    outside the range walks on along its cycle until it is back inside, which keeps it a bijection (Black and
    Rogaway 2002) and takes less than two steps on average.
    """
    assert num_rows > 0, "a permutation of no rows"
    num_bits = (num_rows - 1).bit_length()
    keys = np.broadcast_to(np.asarray(key, dtype=np.uint64), positions.shape)
    values = _feistel(positions.astype(np.uint64), num_bits, keys)
    outside = np.flatnonzero(values >= num_rows)
    while outside.size:
        values[outside] = _feistel(values[outside], num_bits, keys[outside])
        outside = outside[values[outside] >= num_rows]
    return values.astype(np.int64)


class Sampler:
    """Shuffled row numbers for global sample indices; each epoch is a new permutation of all rows."""

    def __init__(self, num_rows: int, seed: int) -> None:
        assert num_rows > 0, "a sampler of no rows"
        self.num_rows = num_rows
        self.seed = seed

    def epoch(self, index: int) -> int:
        """Return the epoch, counted from 0, of a global sample index."""
        return index // self.num_rows

    def rows(self, first: int, count: int) -> NDArray[np.int64]:
        """Return the row numbers of the global sample indices first .. first + count - 1, shape (count,)."""
        return self.rows_at(np.arange(first, first + count, dtype=np.int64))

    def rows_at(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row numbers of these sample indices, of the same shape."""
        epochs, positions = np.divmod(indices, self.num_rows)
        seed = mix(np.full(1, self.seed & MASK_64, dtype=np.uint64))
        return permute(positions, self.num_rows, mix(seed ^ epochs.astype(np.uint64)))
