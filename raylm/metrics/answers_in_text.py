"""How good a short answer is beside the right ones: SQuAD's exact match and F1."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from raylm.metrics.judging import Figures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalized(text: str) -> str:
    """Return a text in lower case without punctuation, articles and doubled blanks.

    Source: Rajpurkar et al. 2016, SQuAD, section 6.1, and the evaluation script published with it.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(answer: str, right: str) -> float:
    """Return 1 if two answers are the same once they are normalized, else 0."""
    return float(normalized(answer) == normalized(right))


def word_f1(answer: str, right: str) -> float:
    """Return F1 of the normalized words two answers share.

    Where one of them is no answer, it is 1 if both are (Rajpurkar et al. 2018, SQuAD 2.0).
    """
    said, wanted = normalized(answer).split(), normalized(right).split()
    if not said or not wanted:
        return float(said == wanted)
    shared = (Counter(said) & Counter(wanted)).total()
    return 2 * shared / (len(said) + len(wanted))


def best(answer: str, right: Sequence[str]) -> tuple[float, float]:
    """Return F1 and exact match beside the right answer that is nearest; with none, "" is right."""
    wanted = [each for each in right if normalized(each)] or [""]
    return max(word_f1(answer, each) for each in wanted), max(exact_match(answer, each) for each in wanted)


def answers_in_text(right: Sequence[Sequence[str]], answers: Sequence[str]) -> Figures:
    """Return F1 and exact match, the mean over rows of the best beside any right answer.

    Rows without a right answer give two more: F1 of the others, and how often it was seen that there is none.

    Args:
        right: the right answers of each row; none where the text holds no answer.
        answers: what was said; "" for no answer.
    """
    import numpy as np

    scores = np.array([best(*each) for each in zip(answers, right, strict=True)]).reshape(-1, 2)
    has_answer = np.array([any(map(normalized, each)) for each in right], dtype=np.float64)
    has_none = not has_answer.all()

    def metrics(sums: NDArray[np.float64]) -> dict[str, float]:
        total, exact, num_rows, total_answered, num_answered = sums.tolist()
        found = {"f1": total / max(1.0, num_rows), "exact_match": exact / max(1.0, num_rows)}
        if has_none:
            found["has_answer_f1"] = total_answered / max(1.0, num_answered)
            found["no_answer_accuracy"] = (total - total_answered) / max(1.0, num_rows - num_answered)
        return found

    stats = np.column_stack([scores, np.ones(len(scores)), scores[:, 0] * has_answer, has_answer])
    return Figures(stats, metrics, scores.mean(axis=1))
