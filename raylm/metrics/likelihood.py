"""How likely texts are to a model, and to the simplest one: characters by the character before them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHARACTERS = 0x110000 - 0x800  # of Unicode, without the surrogates, which no text holds
_EDGE = ""  # stands before a text's first character, and for its end
_HIGHEST_LOSS = 700.0  # nats; the exponential of more is no float


def likelihood_stats(answers: Sequence[Mapping[str, Any]], targets: Sequence[str]) -> NDArray[np.float64]:
    """Return nats, tokens and UTF-8 bytes of each target: (N, 3).

    Args:
        answers: {"log_probability": nats, "num_tokens": int} of each.
        targets: the texts that they are about.
    """
    import numpy as np

    rows = [
        [-answer["log_probability"], answer["num_tokens"], len(target.encode("utf-8", "surrogatepass"))]
        for answer, target in zip(answers, targets, strict=True)
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def likelihood_metrics(sums: NDArray[np.float64]) -> dict[str, float]:
    """Return bits_per_byte, loss (nats a token) and perplexity.

    Only bits a byte can be compared between tokenizers (Gao et al. 2020, The Pile, section 3.1): a token is
    longer to one than to another.
    """
    nats, num_tokens, num_bytes = (float(number) for number in sums)
    loss = nats / max(num_tokens, 1.0)
    return {
        "bits_per_byte": nats / math.log(2) / max(num_bytes, 1.0),
        "loss": loss,
        "perplexity": math.exp(min(loss, _HIGHEST_LOSS)),
    }


def likelihood_quality(stats: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bits a byte of each text, the sign turned so that a likely text has the higher: (N,)."""
    import numpy as np

    return -stats[:, 0] / math.log(2) / np.maximum(stats[:, 2], 1.0)


class CharacterBigrams:
    """Each character by the one before it, Witten-Bell smoothed (Chen and Goodman 1999, section 2.4).

    Where little was seen the shares of single characters count, and below them all of Unicode alike, so that
    no text is impossible. The end of a text is predicted as a character of its own.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._pairs: Counter[tuple[str, str]] = Counter()
        for text in texts:
            self._pairs.update(pairwise((_EDGE, *text, _EDGE)))

    @cached_property
    def _totals(self) -> Counter[str]:
        return _summed((first, count) for (first, _), count in self._pairs.items())

    @cached_property
    def _followers(self) -> Counter[str]:
        """Of each character, how many different ones were seen after it."""
        return Counter(first for first, _ in self._pairs)

    @cached_property
    def _singles(self) -> Counter[str]:
        return _summed((second, count) for (_, second), count in self._pairs.items())

    @cached_property
    def _num_seen(self) -> int:
        return self._singles.total()

    def answer(self, *texts: str) -> dict[str, Any]:
        """Return what a model says of a record's texts: nats and tokens, which are characters and ends."""
        pairs = [pair for text in texts for pair in pairwise((_EDGE, *text, _EDGE))]
        return {
            "log_probability": sum(math.log(self._share(*pair)) for pair in pairs),
            "num_tokens": len(pairs),
        }

    def _share(self, first: str, second: str) -> float:
        single = _mixed(self._singles[second], self._num_seen, len(self._singles), 1 / (_CHARACTERS + 1))
        return _mixed(self._pairs[first, second], self._totals[first], self._followers[first], single)


def _mixed(count: int, total: int, num_different: int, below: float) -> float:
    """Return the share of what was seen `count` times of `total`, mixed with that of the coarser model.

    The more different things were seen, the likelier something new is (Witten and Bell 1991, method C).
    """
    return (count + num_different * below) / (total + num_different) if total else below


def _summed(counts: Iterable[tuple[str, int]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for name, count in counts:
        sums[name] += count
    return sums
