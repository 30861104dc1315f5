"""How long the documents of a dataset are in tokens: from the columns of offsets, no token is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from raylm.data.shards import Split

_CHUNK = 1 << 20  # documents looked at together


def token_lengths(splits: Iterable[Split]) -> Counter[str]:
    """Return documents by bucket: "64" holds those of 64 to 127 tokens, the end of the text counted."""
    powers = np.zeros(64, dtype=np.int64)
    for split in splits:
        for start in range(0, split.num_documents, _CHUNK):
            stop = min(start + _CHUNK, split.num_documents)
            lengths = np.diff(split.read("documents", start, stop + 1).astype(np.int64))
            # A number of n bits has the exponent n: exact, as no document has 2**53 tokens.
            exponents = np.frexp(np.maximum(lengths, 1).astype(np.float64))[1] - 1
            powers += np.bincount(exponents, minlength=64)
    return Counter({str(1 << power): int(count) for power, count in enumerate(powers.tolist()) if count})
