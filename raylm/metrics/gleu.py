"""GLEU for grammar correction: BLEU that counts against an answer what it leaves uncorrected.

Napoles et al. 2015 (Ground Truth for Grammatical Error Correction Metrics) in the form without a weight to
tune, Napoles et al. 2016 (GLEU Without Tuning). It is not the GLEU of machine translation.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ORDERS = 4
NUM_GLEU = 2 + 2 * _ORDERS
"""Columns of `gleu_stats`."""


def gleu_stats(
    sources: Sequence[str], answers: Sequence[str], references: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    """Return of each answer its length, its reference's, then credit and number of n-grams by n: (N, 10).

    Words are what white space parts, so texts are compared as they are tokenized in the rows. The paper draws
    one of several references at random, 500 times over, and takes the mean score; here a row's statistics are
    the mean over its references, which needs no draws. With one reference both are the same.
    """
    import numpy as np

    rows = []
    for source, answer, targets in zip(sources, answers, references, strict=True):
        each = [_counts(source.split(), answer.split(), target.split()) for target in targets]
        rows.append(np.mean(each, axis=0))
    return np.array(rows, dtype=np.float64).reshape(-1, NUM_GLEU)


def gleu_metrics(sums: NDArray[np.float64]) -> dict[str, float]:
    """Return the GLEU of a corpus, from 0 to 100; 0 if it has no credit for n-grams of some length."""
    return {"gleu": 100 * _gleu(sums.tolist())}


def gleu_quality(stats: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the GLEU of each row alone, one added to each count so that none is 0: (N,)."""
    import numpy as np

    return np.array([_gleu([row[0], row[1], *(number + 1 for number in row[2:])]) for row in stats.tolist()])


def _counts(source: list[str], answer: list[str], target: list[str]) -> list[float]:
    counts: list[float] = [len(answer), len(target)]
    for order in range(1, _ORDERS + 1):
        ours, theirs, before = (_ngrams(words, order) for words in (answer, target, source))
        right, kept = ours & theirs, ours & before
        # Section 2 of 2016: matches less what the answer shares with the source beyond the reference. A
        # sentence has no credit below 0, as in the authors' own program.
        credit = right.total() - (kept - right).total()
        counts += [max(0, credit), ours.total()]
    return counts


def _ngrams(words: list[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(order)), strict=False))


def _gleu(sums: Sequence[float]) -> float:
    length, target_length, *counts = sums
    earned, totals = counts[::2], counts[1::2]
    if not length or not all(earned):
        return 0.0
    logs = [math.log(credit / total) for credit, total in zip(earned, totals, strict=True)]
    return math.exp(min(0.0, 1 - target_length / length) + sum(logs) / _ORDERS)
