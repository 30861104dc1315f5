"""What an evaluation of a trained model is; every other file here is one evaluation.

An evaluation reads files, asks the model for log-probabilities or features, and says what came of it. It
never sees the model itself: every objective answers the same questions, by its likelihood where it predicts
each token from those before it, else by its pseudo-likelihood.
"""

from __future__ import annotations

import math
import random
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from raylm.config.choice import Choice, discover
from raylm.config.sections import knob
from raylm.data.file_source import TextFileSource
from raylm.kernels.frame import Request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Evaluation", "Examinee", "Request", "Result", "Score", "Share", "sampled"]

T = TypeVar("T")
NUM_EXAMPLES = 10  # that a result shows
_Z = 1.959964  # of the 95 % interval


class Score(NamedTuple):
    """How probable a model finds a text."""

    log_probability: float
    """In nats, summed over the tokens; a pseudo-log-probability where the model sees both sides."""
    num_tokens: int
    is_greedy: bool
    """Whether each token is the likeliest one in its place."""


class Examinee(Protocol):
    """The model, as far as an evaluation may ask."""

    @property
    def scores_in_order(self) -> bool:
        """Whether each token is predicted from those before it, so that scores are likelihoods."""
        ...

    def request(self, context: str, text: str, place: str) -> Request:
        """Return the ids of a text after a context.

        Raises:
            BadInput: the text has no token; `place` says where it stands.
        """
        ...

    def num_unknown(self, request: Request) -> int:
        """Return the tokens of the text that stand for what the tokenizer does not know."""
        ...

    def scores(self, requests: Sequence[Request], stride: int | None = None) -> list[Score]:
        """Return the score of each text, which may be of any length: a long one is read window by window."""
        ...

    def features(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return what the model makes of each text (N, D): its tokens' mean last hidden state."""
        ...


class Share(NamedTuple):
    """How many of how many, with what chance alone would give."""

    hits: int
    total: int
    chance: float | None = None

    @classmethod
    def of(cls, outcomes: Iterable[bool], chance: float | None = None) -> Share:
        """Return the share of true ones."""
        listed = list(outcomes)
        return cls(int(sum(listed)), len(listed), chance)

    @property
    def value(self) -> float:
        """The share, 0 of none."""
        return self.hits / max(1, self.total)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval (Wilson 1927), which holds for few rows and for shares near 0 and 1 too."""
        if not self.total:
            return 0.0, 1.0
        n, share = self.total, self.value
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        reach = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        return min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach))  # rounding

    def to_json(self) -> dict[str, Any]:
        """Return the share, its interval and its count as plain values."""
        low, high = self.interval
        return {"accuracy": self.value, "low": low, "high": high, "num_rows": self.total}


class Result(NamedTuple):
    """What an evaluation found."""

    metrics: Mapping[str, float | Share]
    counts: Mapping[str, int]
    breakdown: Mapping[str, Mapping[str, Any]] = {}
    """The same by part: by phenomenon, by file."""
    examples: Sequence[Mapping[str, Any]] = ()
    """Rows that went worst, the worst first."""
    notes: Sequence[str] = ()
    """What a reader of the numbers must know."""
    intervals: Mapping[str, tuple[float, float]] = {}
    """The 95 % intervals of metrics that are no shares."""
    baselines: Mapping[str, Mapping[str, Any]] = {}
    """`metrics` and `intervals` of answers that need no trained model, by what they are called, the strongest
    last."""
    difference: Mapping[str, Any] = {}
    """By how much the model is above that one: `metric`, `baseline`, `value`, and the interval's `low` and
    `high`."""
    breakdowns: Mapping[str, Mapping[str, Mapping[str, Any]]] = {}
    """The same by part, in several ways: by class, by length."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values; the interval and the chance level of each share stand beside its number.

        What was not compared with baselines has no `baselines`, `difference` and `breakdowns`.
        """
        shares = {name: each for name, each in self.metrics.items() if isinstance(each, Share)}
        return {
            "metrics": {
                name: each.value if isinstance(each, Share) else each for name, each in self.metrics.items()
            },
            "intervals": {
                **{name: list(each.interval) for name, each in shares.items()},
                **{name: list(each) for name, each in self.intervals.items()},
            },
            "chance": {name: each.chance for name, each in shares.items() if each.chance is not None},
            "counts": dict(self.counts),
            "breakdown": {name: dict(part) for name, part in self.breakdown.items()},
            "examples": [dict(each) for each in self.examples],
            "notes": list(self.notes),
            **self._compared(),
        }

    def _compared(self) -> dict[str, Any]:
        found = {
            "baselines": {name: dict(each) for name, each in self.baselines.items()},
            "difference": dict(self.difference),
            "breakdowns": {
                name: {part: dict(each) for part, each in parts.items()}
                for name, parts in self.breakdowns.items()
            },
        }
        return {name: value for name, value in found.items() if value}


class Evaluation(TextFileSource, Choice):
    """What a model is asked, and the files it is asked about."""

    limit: int | None = knob(None, ge=1, unit="rows")
    """The most rows, drawn from all files by a fixed seed, or documents, from the first on; unset: all."""

    @abstractmethod
    def run(self, examinee: Examinee) -> Result:
        """Ask the model and return what came of it.

        Raises:
            BadInput: a file cannot be read, or a row is not what it should be; names the file and the line.
        """


def sampled(rows: Sequence[T], limit: int | None) -> list[T]:
    """Return at most `limit` of the rows, in order, always the same ones."""
    if limit is None or len(rows) <= limit:
        return list(rows)
    # Neither the first, as files may be sorted, nor every n-th, as labels may take turns.
    return [rows[number] for number in sorted(random.Random(0).sample(range(len(rows)), limit))]  # noqa: S311


discover(__name__)
