"""The nearest training record, by the words that two texts share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from raylm.config.errors import BadInput

_PART = 256  # keys at a time, so that their similarities to all training keys fit in memory
_WORDS = r"\w+|[^\w\s]"


def nearest(train_keys: Sequence[str], keys: Sequence[str]) -> list[int]:
    """Return for each key the number of the training key most like it; of equal ones the first.

    Likeness is the cosine of TF-IDF weights of words and signs (Salton and Buckley 1988).
    """
    if not train_keys:
        raise ValueError("there are no training keys")
    vectorizer = _vectorizer()(token_pattern=_WORDS, sublinear_tf=True)
    table = vectorizer.fit_transform(train_keys)
    found: list[int] = []
    for start in range(0, len(keys), _PART):
        likeness = vectorizer.transform(keys[start : start + _PART]) @ table.T
        found += likeness.toarray().argmax(axis=1).tolist()
    return found


def _vectorizer() -> Any:
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError:
        mend = "pip install 'raylm[finetune]'"
        raise BadInput.one("task", "scikit-learn is not installed", mend, code="missing_package") from None
    return TfidfVectorizer
