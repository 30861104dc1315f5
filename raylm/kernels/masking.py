"""Choosing tokens to hide, and what stands in their place (Devlin et al. 2019, section 3.1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.config.vocabulary import Vocabulary
from raylm.kernels.frame import IGNORE_INDEX


class Masking(NamedTuple):
    """How tokens are hidden; the fields are the objective's."""

    mask_share: float
    replace_share: float
    random_share: float
    whole_words: bool


def hide(
    tokens: NDArray[np.int64], masking: Masking, vocabulary: Vocabulary, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the tokens with some hidden, and the labels: the hidden ones' ids, -100 elsewhere; both (N,).

    Special tokens stay. A row with any text has at least one token hidden.
    """
    is_text = ~vocabulary.is_special[tokens]
    chosen = _chosen(tokens, is_text, masking, vocabulary, rng)
    labels = np.full_like(tokens, IGNORE_INDEX)
    labels[chosen] = tokens[chosen]
    inputs = tokens.copy()
    draw = rng.random(len(chosen))
    inputs[chosen[draw < masking.replace_share]] = vocabulary.id_of("mask_token")
    is_random = (draw >= masking.replace_share) & (draw < masking.replace_share + masking.random_share)
    inputs[chosen[is_random]] = rng.choice(vocabulary.text_ids, int(is_random.sum()))
    return inputs, labels


def _chosen(
    tokens: NDArray[np.int64],
    is_text: NDArray[np.bool_],
    masking: Masking,
    vocabulary: Vocabulary,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Return the places to hide, as many as the share says, to within a word where words stay whole."""
    places = np.flatnonzero(is_text)
    wanted = max(1, round(len(places) * masking.mask_share)) if len(places) else 0
    if not masking.whole_words or not wanted:
        return rng.choice(places, wanted, replace=False) if wanted else places
    words = word_numbers(tokens, vocabulary)[places]
    order = rng.permutation(np.unique(words))
    totals = np.cumsum(np.bincount(words)[order])
    num_words = 1 + np.argmin(np.abs(totals - wanted))
    return places[np.isin(words, order[:num_words])]


def word_numbers(tokens: NDArray[np.int64], vocabulary: Vocabulary) -> NDArray[np.int64]:
    """Return for each token (N,) the number of its word; every token that is no part of one counts alone."""
    left, right = vocabulary.joins_left, vocabulary.joins_right
    if left is None or right is None or not len(tokens):
        return np.arange(len(tokens))
    goes_on = left[tokens[1:]] & right[tokens[:-1]]
    return np.concatenate([[0], np.cumsum(~goes_on)])
