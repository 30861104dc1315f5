"""Keeping what a tokenizer is trained on small, however many words the texts hold.

Training counts the distinct words, and takes 100 bytes and more for each of their characters. Their number
grows without end (Heaps 1978); most of the new ones come once or twice, and such a word cannot earn a token.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator

MAX_CHARACTERS = 4_000_000
"""Characters of distinct words until which every word is kept; training then takes some 500 MB."""
_PIECE = re.compile(r" ?\S+|\s+")
_GROWTH = 0.25  # of the first limit, until rare words must come four times as often
_PRUNE_EVERY = 1 << 18  # new words between two looks at those that wait


def without_rare_words(texts: Iterator[str], max_characters: int = MAX_CHARACTERS) -> Iterator[str]:
    """Yield the texts; once they hold so many distinct words, without most of the new ones that are rare.

    A new word is kept once it has come several times, and then counts in full. A sample of the others is kept
    too, picked by hash, so that text without blanks or in a language that comes late has its share. Both
    become stricter as more words are kept. The same texts give the same result.
    """
    known = _Known(max_characters)
    for text in texts:
        yield known.pass_on(text)


class _Known:
    """The words that are kept."""

    def __init__(self, max_characters: int) -> None:
        self._words: set[str] = set()
        self._waiting: Counter[str] = Counter()
        self._num_characters = 0
        self._limit = float(max_characters)
        self._step = max(1, _GROWTH * max_characters)
        self._threshold = 1

    def pass_on(self, text: str) -> str:
        """Return a text without the words that are left out, with those that are taken in late."""
        pieces = _PIECE.findall(text)
        new = [piece for piece in dict.fromkeys(pieces) if piece not in self._words]
        if self._threshold == 1:
            self._keep(new)
            return text
        if not new:
            return text
        counts = Counter(pieces)
        late = "".join(self._judge(piece, counts[piece]) for piece in new)
        self._forget()
        return "".join(filter(self._words.__contains__, pieces)) + late

    def _judge(self, piece: str, count: int) -> str:
        """Count a new piece; return what its earlier occurrences left out, once it is kept."""
        before = self._waiting.pop(piece, 0)
        is_drawn = zlib.crc32(piece.encode("utf-8", "replace")) % self._threshold == 0
        if is_drawn or piece.isspace() or before + count >= self._threshold:
            self._keep([piece])
            return piece * before
        self._waiting[piece] = before + count
        return ""

    def _keep(self, pieces: list[str]) -> None:
        self._words.update(pieces)
        self._num_characters += sum(map(len, pieces))
        if self._num_characters > self._limit:
            self._limit += self._step
            self._threshold *= 4

    def _forget(self) -> None:
        """Drop those that came once only (lossy counting, Manku and Motwani 2002)."""
        if len(self._waiting) > _PRUNE_EVERY:
            self._waiting = Counter({piece: count - 1 for piece, count in self._waiting.items() if count > 1})
