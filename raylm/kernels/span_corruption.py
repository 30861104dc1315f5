"""Cutting a text into spans to keep and spans to drop (Raffel et al. 2020, section 3.1.4 and T5's code)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Spans(NamedTuple):
    """How a text of so many tokens is corrupted."""

    num_tokens: int
    num_noise: int
    """Tokens that are dropped."""
    num_spans: int

    @property
    def num_inputs(self) -> int:
        """Tokens that the encoder reads: what is kept, a sentinel for each span, the end."""
        return self.num_tokens - self.num_noise + self.num_spans + 1

    @property
    def num_targets(self) -> int:
        """Tokens that the decoder writes: each span after its sentinel, the end."""
        return self.num_noise + self.num_spans + 1


def spans_of(num_tokens: int, noise_share: float, mean_span: float) -> Spans:
    """Return how many tokens and spans of a text are dropped: at least one of each; one token stays."""
    num_noise = min(max(1, round(num_tokens * noise_share)), num_tokens - 1)
    num_spans = min(max(1, round(num_noise / mean_span)), num_noise, num_tokens - num_noise)
    return Spans(num_tokens, num_noise, num_spans)


@lru_cache(maxsize=16)
def longest_text(num_inputs: int, noise_share: float, mean_span: float) -> int:
    """Return the most tokens of a text that the encoder has room for, once it is corrupted."""
    length = 2
    while spans_of(length + 1, noise_share, mean_span).num_inputs <= num_inputs:
        length += 1
    return length


def noise(spans: Spans, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return where each span starts and stops (num_spans, 2); a kept token stands before every span."""
    kept = _segments(spans.num_tokens - spans.num_noise, spans.num_spans, rng)
    dropped = _segments(spans.num_noise, spans.num_spans, rng)
    stops = np.cumsum(kept + dropped)
    return np.stack([stops - dropped, stops], axis=1)


def _segments(num_items: int, num_segments: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return sizes (num_segments,) of at least 1 that sum to the items; every such division is as likely."""
    cuts = np.sort(rng.choice(num_items - 1, num_segments - 1, replace=False)) + 1
    return np.diff(np.concatenate([[0], cuts, [num_items]]))
