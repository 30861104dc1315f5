"""Which tokens are predicted, and in which order (Yang et al. 2019, sections 2.2 to 2.4 and XLNet's code)."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def choose_spans(
    is_text: NDArray[np.bool_], wanted: int, max_span: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return the places of the tokens to predict, ascending: spans, each somewhere in a context of its own.

    A span of n tokens, n from 1 to `max_span` with a chance in proportion to 1 / n, falls somewhere into the
    next n / share tokens; what is then wanting is drawn token by token.

    Args:
        is_text: whether each token of a row (T,) may be predicted.
        wanted: tokens to predict, at most.
        max_span: the longest span, in tokens.
        rng: of the row.
    """
    places = np.flatnonzero(is_text)
    wanted = min(wanted, len(places))
    if not wanted:
        return places[:0]
    stride = len(places) / wanted
    limits = _limits(max_span)
    chosen = np.zeros(len(places), dtype=np.bool_)
    start, left = 0, wanted
    while left and start < len(places):
        size = min(1 + bisect_right(limits, rng.random()), left)
        room = max(size, round(size * stride))
        first = start + int(rng.integers(room - size + 1))
        chosen[first : first + size] = True
        left = wanted - int(chosen.sum())
        start += room
    if left > 0:
        chosen[rng.choice(np.flatnonzero(~chosen), left, replace=False)] = True
    return places[np.flatnonzero(chosen)]


@lru_cache(maxsize=16)
def _limits(max_span: int) -> list[float]:
    """Return the number in [0, 1) at which each size of span gives way to the next."""
    chances = 1 / np.arange(1, max_span + 1)
    return np.cumsum(chances / chances.sum())[:-1].tolist()


def hidden_from(targets: NDArray[np.intp], length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return 1 where the token of the first index must not see that of the second; (length, length).

    Tokens that are not predicted come first in the factorization order and see each other; the targets follow
    in an order drawn at random. A target sees itself in the content stream, which transformers adds.
    """
    order = np.full(length, -1)
    order[targets] = rng.permutation(len(targets))
    hidden = np.zeros((length, length), dtype=np.float32)
    hidden[:, targets] = order[:, None] <= order[targets]
    return hidden
