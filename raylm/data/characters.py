"""Counting the characters of texts on their way."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import numpy as np

_BUFFER = 1 << 20  # characters; an array over all of Unicode is worth its price only for many


class CharacterCounts:
    """How often each character comes."""

    def __init__(self) -> None:
        self._counts = np.zeros(sys.maxunicode + 1, np.int64)
        self._waiting: list[str] = []
        self._num_waiting = 0

    def watch(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield the texts, counting them."""
        for text in texts:
            self._waiting.append(text)
            self._num_waiting += len(text)
            if self._num_waiting > _BUFFER:
                self._add()
            yield text
        self._add()

    def __getitem__(self, character: str) -> int:
        return int(self._counts[ord(character)])

    def _add(self) -> None:
        codes = np.frombuffer("".join(self._waiting).encode("utf-32-le", "surrogatepass"), "<u4")
        found = np.bincount(codes)
        self._counts[: len(found)] += found
        self._waiting, self._num_waiting = [], 0
