"""Documents that are the same as an earlier one, in any source."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from raylm.config.sections import knob
from raylm.data.filters import CorpusFilter, Twin

_WORDS = re.compile(r"\w+")


class ExactDuplicates(CorpusFilter):
    """Keeps the first of documents that are the same."""

    kind: Literal["exact_duplicates"] = "exact_duplicates"
    normalise: Literal["none", "whitespace", "words"] = knob("whitespace")
    """What makes no difference. none: everything does; whitespace: white space and line breaks; words: also
    case, punctuation and symbols."""

    def sketch(self, texts: Sequence[str]) -> NDArray[np.generic]:
        digests = [blake2b(self._plain(text), digest_size=16).digest() for text in texts]
        return np.frombuffer(b"".join(digests), "<u8").reshape(len(texts), 2)

    def decide(
        self, sketches: Sequence[NDArray[np.generic]], text: Callable[[int], str]
    ) -> Mapping[int, Twin]:
        del text  # 128 bits of BLAKE2: two texts that differ do not meet
        if not len(sketches):
            return {}
        digests = np.concatenate([np.array(sketch) for sketch in sketches])
        order = np.lexsort((digests[:, 1], digests[:, 0]))  # stable: equal digests stay in order
        (repeats,) = np.nonzero((digests[order[1:]] == digests[order[:-1]]).all(axis=1))
        kept: dict[int, int] = {}
        pairs: list[list[int]] = np.stack((order[repeats], order[repeats + 1]), axis=1).tolist()
        for before, after in pairs:
            kept[after] = kept.get(before, before)
        return {number: Twin(kept[number], "exact_duplicate") for number in sorted(kept)}

    def _plain(self, text: str) -> bytes:
        plain = text
        if self.normalise == "whitespace":
            plain = " ".join(text.split())
        elif self.normalise == "words":
            plain = " ".join(_WORDS.findall(text.lower()))
        return (plain or text).encode("utf-8", "surrogatepass")
