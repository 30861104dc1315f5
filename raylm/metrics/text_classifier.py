"""A linear model of word counts: what a classifier of texts must be above to be worth training."""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Self, TypeAlias

from raylm.config.errors import BadInput

Wanted: TypeAlias = Literal["label", "labels", "value"]

_MOST_ROWS = 50_000  # more rows add little to a linear model, and take minutes
_MOST_WORDS = 200_000
_HELD_OUT = 10  # one of so many rows chooses the strength
_FEWEST_HELD_OUT = 5  # rows; fewer tell nothing
_NEAR = 0.01  # how near to the optimum a fit stops; nearer gave the same accuracy
_STRENGTHS = (1.0, 10.0, 100.0)  # inverse regularization; words are rare, so that a little goes far


class TextClassifier:
    """TF-IDF of words and pairs of words with logistic regression (how far that goes: Wang and Manning 2012).

    Several labels are told apart one by one against the rest, and numbers by ridge regression. How strong the
    regularization is, a tenth of the training rows decides.
    """

    def __init__(self, wanted: Wanted, seed: int = 0) -> None:
        """Make one that is not trained.

        Args:
            wanted: what it is to say of a text: "label" a name, "labels" a list of names, "value" a number.
            seed: which rows are held out, and which are taken where there are very many.
        """
        self._wanted: Wanted = wanted
        self._seed = seed
        self._words: Any = None
        self._model: _Model | None = None
        self._constant: Any = None

    def fit(self, texts: Sequence[str], answers: Sequence[Any]) -> Self:
        """Learn from texts and their right answers, one text or more.

        Raises:
            BadInput: scikit-learn is not installed.
        """
        rows = list(zip(texts, answers, strict=True))
        random.Random(self._seed).shuffle(rows)  # noqa: S311 - which rows are held out is no secret
        texts, answers = zip(*rows[:_MOST_ROWS], strict=True)
        self._constant = _usual(self._wanted, answers)
        if _differ(answers) and any(any(map(str.isalnum, text)) for text in texts):
            self._words = _words()
            with warnings.catch_warnings():
                _expect_warnings()
                self._model = self._best(self._words.fit_transform(texts), answers)
        return self

    def predict(self, texts: Sequence[str]) -> list[Any]:
        """Return the answer to each text; what is usual, where nothing could be learned."""
        if self._model is None or not texts:
            return [self._constant for _ in texts]
        return self._model.answers(self._words.transform(texts))

    def _best(self, features: Any, answers: Sequence[Any]) -> _Model:
        size = len(answers) // _HELD_OUT
        right = answers[:size]
        if size < _FEWEST_HELD_OUT or not _differ(answers[size:]):
            return _fitted(self._wanted, _STRENGTHS[1], features, answers)
        tried = {
            strength: _fitted(self._wanted, strength, features[size:], answers[size:]).error(
                features[:size], right
            )
            for strength in _STRENGTHS
        }
        return _fitted(self._wanted, min(tried, key=lambda each: tried[each]), features, answers)


class _Model(NamedTuple):
    wanted: Wanted
    names: Any
    """What turns rows of 0 and 1 into names of labels; None for the other kinds."""
    model: Any

    def answers(self, features: Any) -> list[Any]:
        found = self.model.predict(features)
        return [list(each) for each in self.names.inverse_transform(found)] if self.names else found.tolist()

    def error(self, features: Any, right: Sequence[Any]) -> float:
        """Return how far answers are off: squares of numbers, or how many names are too few or too many."""
        pairs = list(zip(self.answers(features), right, strict=True))
        if self.wanted == "value":
            return sum((said - wanted) ** 2 for said, wanted in pairs)
        if self.wanted == "labels":
            return sum(len(set(said) ^ set(wanted)) for said, wanted in pairs)
        return sum(said != wanted for said, wanted in pairs)


def _fitted(wanted: Wanted, strength: float, features: Any, answers: Sequence[Any]) -> _Model:
    learners = _sklearn()
    if wanted == "value":
        return _Model(wanted, None, learners.ridge(alpha=1 / strength).fit(features, answers))
    names = learners.binarizer() if wanted == "labels" else None
    # In the dual, texts are fitted about four times as fast as in the primal, to the same accuracy.
    each = learners.logistic(C=strength, solver="liblinear", dual=True, tol=_NEAR, random_state=0)
    model = learners.one_vs_rest(each)
    return _Model(wanted, names, model.fit(features, names.fit_transform(answers) if names else answers))


def _differ(answers: Sequence[Any]) -> bool:
    return any(each != answers[0] for each in answers)


def _expect_warnings() -> None:
    """Pass over what a baseline may do and scikit-learn warns of: to stop short, a label of all rows."""
    from sklearn.exceptions import ConvergenceWarning

    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.filterwarnings("ignore", "Label (not )?.* is present in all training examples", UserWarning)


def _usual(wanted: Wanted, answers: Sequence[Any]) -> Any:
    if wanted == "value":
        return sum(answers) / len(answers)
    counts = Counter(map(str, answers))
    return max(answers, key=lambda each: counts[str(each)])


def _words() -> Any:
    # Words of one character count too: in some scripts they are most words.
    return _sklearn().words(
        ngram_range=(1, 2),
        sublinear_tf=True,
        max_features=_MOST_WORDS,
        token_pattern=r"\w+",  # noqa: S106 - no password
    )


class _Learners(NamedTuple):
    words: Any
    ridge: Any
    logistic: Any
    one_vs_rest: Any
    binarizer: Any


def _sklearn() -> _Learners:
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression, Ridge
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.preprocessing import MultiLabelBinarizer
    except ImportError:
        mend = "pip install 'raylm[finetune]'"
        raise BadInput.one("task", "scikit-learn is not installed", mend, code="missing_package") from None
    return _Learners(TfidfVectorizer, Ridge, LogisticRegression, OneVsRestClassifier, MultiLabelBinarizer)
