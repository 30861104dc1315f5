"""How much a written text has in common with its references: ROUGE, BLEU, chrF; all from 0 to 100.

Each function of statistics returns rows whose sum over any rows gives the metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from raylm.config.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BleuTokenize: TypeAlias = Literal["13a", "intl", "zh", "char", "none"]

_ROUGE = ("rougeL", "rouge1", "rouge2")
_ORDERS = 4  # Papineni et al. 2002: n-grams of up to four words
NUM_BLEU = 2 + 2 * _ORDERS
"""Columns of `bleu_stats`."""


def rouge_stats(answers: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return the F1 of ROUGE-L, ROUGE-1 and ROUGE-2 of each answer in percent, and a one: (N, 4).

    Lin 2004 with Porter's stemmer, as the package rouge_score computes it; of several references the best
    counts (section 2.1). That package knows the letters a to z only: where most letters of the reference are
    others, words are what Unicode says they are, and Chinese and Japanese characters are words of their own.
    """
    import numpy as np

    rows = []
    for answer, targets in zip(answers, references, strict=True):
        scorer = _rouge(is_latin=_is_latin(targets[0]))
        found = scorer.score_multi(targets, answer)
        rows.append([*(100 * found[name].fmeasure for name in _ROUGE), 1.0])
    return np.array(rows, dtype=np.float64).reshape(-1, len(_ROUGE) + 1)


def rouge_metrics(sums: NDArray[np.float64]) -> dict[str, float]:
    """Return the mean F1 of each kind, from 0 to 100."""
    count = max(float(sums[-1]), 1.0)
    return {name: float(total) / count for name, total in zip(_ROUGE, sums, strict=False)}


def bleu_stats(
    answers: Sequence[str], references: Sequence[Sequence[str]], tokenize: BleuTokenize = "13a"
) -> NDArray[np.float64]:
    """Return of each answer its length, its reference's, n-grams that match, n-grams: (N, 10).

    Papineni et al. 2002, as sacrebleu counts them (Post 2018).
    """
    import numpy as np

    metric = _sacrebleu().BLEU(tokenize=tokenize, effective_order=True)  # which does not change the counts
    rows = []
    for answer, targets in zip(answers, references, strict=True):
        found = metric.sentence_score(answer, list(targets))
        rows.append([found.sys_len, found.ref_len, *found.counts, *found.totals])
    return np.array(rows, dtype=np.float64).reshape(-1, NUM_BLEU)


def bleu_metrics(sums: NDArray[np.float64]) -> dict[str, float]:
    """Return the BLEU of a corpus from 0 to 100: what sacrebleu's corpus_bleu gives for the same rows."""
    numbers = [int(number) for number in sums]
    found = _sacrebleu().BLEU.compute_bleu(
        correct=numbers[2 : 2 + _ORDERS],
        total=numbers[2 + _ORDERS :],
        sys_len=numbers[0],
        ref_len=numbers[1],
        smooth_method="exp",
    )
    return {"bleu": float(found.score)}


def chrf_stats(answers: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return of each answer its n-grams of characters, its reference's and those of both: (N, 18).

    Popovic 2015, as sacrebleu counts them: up to six characters, the best of several references.
    """
    import numpy as np

    metric = _chrf()
    rows = [metric.counts(answer, targets) for answer, targets in zip(answers, references, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(-1, 3 * metric.order)


def chrf_metrics(sums: NDArray[np.float64]) -> dict[str, float]:
    """Return the chrF of a corpus (beta 2) from 0 to 100: what sacrebleu's corpus_chrf gives."""
    return {"chrf": float(_chrf().of_counts(sums.tolist()))}


@cache
def _rouge(*, is_latin: bool) -> Any:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise _missing("rouge-score") from None
    return RougeScorer(list(_ROUGE), use_stemmer=True, tokenizer=None if is_latin else _Words())


class _Words:
    """Cuts texts of any script into words, for rouge_score."""

    def tokenize(self, text: str) -> list[str]:
        import re

        alone = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
        return re.findall(rf"[{alone}]|[^\W_{alone}]+", text.lower())


def _is_latin(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return 2 * sum(character.isascii() for character in letters) >= len(letters)


@cache
def _chrf() -> Any:
    class Counted(_sacrebleu().CHRF):
        """Shows its counts, of which sacrebleu returns only what they come to."""

        def counts(self, answer: str, references: Sequence[str]) -> list[int]:
            return self._extract_corpus_statistics([answer], [[one] for one in references])[0]

        def of_counts(self, counts: list[float]) -> float:
            return self._compute_f_score(counts)

    return Counted()


def _sacrebleu() -> Any:
    try:
        from sacrebleu import metrics
    except ImportError:
        raise _missing("sacrebleu") from None
    return metrics


def _missing(package: str) -> BadInput:
    mend = "pip install 'raylm[finetune]'"
    return BadInput.one("task", f"{package} is not installed", mend, code="missing_package")
