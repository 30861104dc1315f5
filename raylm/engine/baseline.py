"""What a model would lose that knows nothing but how frequent each target is."""

from __future__ import annotations

import numpy as np

from raylm.engine.feed import Feed
from raylm.objectives import IGNORE_INDEX

_AT_ONCE = 8192  # tokens of the rows read together: fewer calls, and little memory
_ENOUGH = 100_000  # targets: the entropy of 8,000 kinds is then too low by 0.04 nats (Miller 1955)


def unigram_entropy(feed: Feed, num_rows: int, vocab_size: int) -> float:
    """Return the entropy of the targets' frequencies, in nats a target, over the first rows of a feed.

    A loss near it means that the model has not yet learned from the text around a target.

    Args:
        feed: makes the batches; only their labels are looked at.
        num_rows: of an epoch, which is read once at most.
        vocab_size: kinds of targets.
    """
    counts = np.zeros(vocab_size, dtype=np.int64)
    size = max(feed.micro_batch_size, _AT_ONCE // feed.frame.sequence_length)
    for first in range(0, num_rows, size):
        labels = feed.batch(first, min(size, num_rows - first))["labels"].numpy()
        counts += np.bincount(labels[labels != IGNORE_INDEX], minlength=vocab_size)
        if counts.sum() >= _ENOUGH:
            break
    shares = counts[counts > 0] / max(1, counts.sum())
    return float(-(shares * np.log(shares)).sum())
