"""Quality rules of MassiveText (Rae et al. 2021, "Gopher", appendix A.1.1), made for English web pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from raylm.config.sections import knob
from raylm.data.filters import RuleFilter
from raylm.data.rules import Rule, at_least, at_most, share

_BULLETS = ("•", "‣", "◦", "▪", "-", "*")
_ELLIPSES = ("...", "…")
_WITH_LETTER = re.compile(r"[^\W\d_]\S*")  # from a word's first letter to its end: one match a word


class GopherQuality(RuleFilter):
    """Drops documents that do not look like English prose; words are parted by white space."""

    kind: Literal["gopher_quality"] = "gopher_quality"
    min_words: int = knob(50, unit="words", ge=0)
    """Fewest words of a document (Rae et al. 2021, A.1.1: 50)."""
    max_words: int = knob(100_000, unit="words", ge=1)
    """Most words of a document (Rae et al. 2021, A.1.1: 100,000); a novel may have more."""
    min_mean_word_length: float = knob(3, unit="characters", ge=0, advanced=True)
    """Smallest mean length of a word (Rae et al. 2021, A.1.1: 3)."""
    max_mean_word_length: float = knob(10, unit="characters", gt=0, advanced=True)
    """Largest mean length of a word (Rae et al. 2021, A.1.1: 10)."""
    max_hashes_per_word: float = knob(0.1, ge=0, advanced=True)
    """Most `#` for each word (Rae et al. 2021, A.1.1: 0.1)."""
    max_ellipses_per_word: float = knob(0.1, ge=0, advanced=True)
    """Most ellipses for each word (Rae et al. 2021, A.1.1: 0.1)."""
    max_bullet_line_share: float = knob(0.9, ge=0, le=1, advanced=True)
    """Largest share of lines that begin with a bullet point (Rae et al. 2021, A.1.1: 0.9)."""
    max_ellipsis_line_share: float = knob(0.3, ge=0, le=1, advanced=True)
    """Largest share of lines that end with an ellipsis (Rae et al. 2021, A.1.1: 0.3)."""
    min_letter_word_share: float = knob(0.8, ge=0, le=1, advanced=True)
    """Smallest share of words with a letter in them (Rae et al. 2021, A.1.1: 0.8)."""
    min_stop_words: int = knob(2, unit="words", ge=0)
    """How many different stop words a document must hold at least (Rae et al. 2021, A.1.1: 2)."""
    stop_words: tuple[str, ...] = knob(
        ("the", "be", "to", "of", "and", "that", "have", "with"), advanced=True
    )
    """The stop words, in lower case (Rae et al. 2021, A.1.1: these eight); another language has others."""

    def rules(self, text: str) -> Iterator[Rule]:
        words = text.split()
        yield at_least("too_short", "words", len(words), min_words=self.min_words)
        yield at_most("too_long", "words", len(words), max_words=self.max_words)
        yield from self._word_lengths(words)
        yield from self._symbols(text, len(words))
        yield from self._lines(text)
        with_letter = share(len(_WITH_LETTER.findall(text)), len(words))
        what = "of the words have a letter"
        yield at_least("few_letters", what, with_letter, min_letter_word_share=self.min_letter_word_share)
        found = len(set(self.stop_words).intersection(text.lower().split())) if self.min_stop_words else 0
        yield at_least("few_stop_words", "different stop words", found, min_stop_words=self.min_stop_words)

    def _word_lengths(self, words: list[str]) -> Iterator[Rule]:
        mean = share(sum(map(len, words)), len(words))
        what = "characters in a word on average"
        yield at_least("short_words", what, mean, min_mean_word_length=self.min_mean_word_length)
        yield at_most("long_words", what, mean, max_mean_word_length=self.max_mean_word_length)

    def _symbols(self, text: str, num_words: int) -> Iterator[Rule]:
        hashes = share(text.count("#"), num_words)
        yield at_most("hashes", "# for each word", hashes, max_hashes_per_word=self.max_hashes_per_word)
        ellipses = share(sum(map(text.count, _ELLIPSES)), num_words)
        what = "ellipses for each word"
        yield at_most("ellipses", what, ellipses, max_ellipses_per_word=self.max_ellipses_per_word)

    def _lines(self, text: str) -> Iterator[Rule]:
        lines = [line for line in map(str.strip, text.split("\n")) if line]
        bullets = share(sum(line.startswith(_BULLETS) for line in lines), len(lines))
        what = "of the lines begin with a bullet point"
        yield at_most("bullet_points", what, bullets, max_bullet_line_share=self.max_bullet_line_share)
        ends = share(sum(line.endswith(_ELLIPSES) for line in lines), len(lines))
        what = "of the lines end with an ellipsis"
        yield at_most("ellipsis_lines", what, ends, max_ellipsis_line_share=self.max_ellipsis_line_share)
