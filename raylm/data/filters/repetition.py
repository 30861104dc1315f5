"""Documents that repeat themselves (Rae et al. 2021, "Gopher", appendix A.1.1, table A1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from raylm.config.sections import knob
from raylm.data.filters import RuleFilter
from raylm.data.repeats import Gram, Words, repeated
from raylm.data.rules import Rule, at_most

_PARAGRAPH = re.compile(r"\n\s*\n")
_TOP = (2, 3, 4)
_DUPLICATE = range(5, 11)


def _limit(most: float) -> float:
    return knob(most, ge=0, le=1, advanced=True)


class Repetition(RuleFilter):
    """Drops documents of which much stands more than once; words are parted by white space."""

    kind: Literal["repetition"] = "repetition"
    max_duplicate_line_share: float = knob(0.3, ge=0, le=1)
    """Largest share of lines that stood before in the document (Rae et al. 2021, table A1: 0.30)."""
    max_duplicate_line_character_share: float = knob(0.2, ge=0, le=1)
    """Largest share of characters in lines that stood before (Rae et al. 2021, table A1: 0.20)."""
    max_duplicate_paragraph_share: float = knob(0.3, ge=0, le=1)
    """Largest share of paragraphs that stood before (Rae et al. 2021, table A1: 0.30)."""
    max_duplicate_paragraph_character_share: float = knob(0.2, ge=0, le=1)
    """Largest share of characters in paragraphs that stood before (Rae et al. 2021, table A1: 0.20)."""
    max_top_2_gram_share: float = _limit(0.20)
    """Largest share of characters in the most frequent pair of words (Rae et al. 2021, table A1: 0.20)."""
    max_top_3_gram_share: float = _limit(0.18)
    """Largest share of characters in the most frequent run of 3 words (Rae et al. 2021, table A1: 0.18)."""
    max_top_4_gram_share: float = _limit(0.16)
    """Largest share of characters in the most frequent run of 4 words (Rae et al. 2021, table A1: 0.16)."""
    max_duplicate_5_gram_share: float = _limit(0.15)
    """Largest share of characters in runs of 5 words that stood before (Rae et al. 2021, table A1: 0.15)."""
    max_duplicate_6_gram_share: float = _limit(0.14)
    """Largest share of characters in runs of 6 words that stood before (Rae et al. 2021, table A1: 0.14)."""
    max_duplicate_7_gram_share: float = _limit(0.13)
    """Largest share of characters in runs of 7 words that stood before (Rae et al. 2021, table A1: 0.13)."""
    max_duplicate_8_gram_share: float = _limit(0.12)
    """Largest share of characters in runs of 8 words that stood before (Rae et al. 2021, table A1: 0.12)."""
    max_duplicate_9_gram_share: float = _limit(0.11)
    """Largest share of characters in runs of 9 words that stood before (Rae et al. 2021, table A1: 0.11)."""
    max_duplicate_10_gram_share: float = _limit(0.10)
    """Largest share of characters in runs of 10 words that stood before (Rae et al. 2021, table A1: 0.10)."""

    def rules(self, text: str) -> Iterator[Rule]:
        lines = [line for line in map(str.strip, text.split("\n")) if line]
        paragraphs = [paragraph for paragraph in map(str.strip, _PARAGRAPH.split(text)) if paragraph]
        yield from self._parts("line", lines)
        yield from self._parts("paragraph", paragraphs)
        words = Words(text.split())
        for gram in words.top_grams(_TOP):
            yield self._gram("top", "in the most frequent run of {} words", gram)
        for gram in words.duplicate_grams(_DUPLICATE):
            yield self._gram("duplicate", "in runs of {} words that stood before", gram)

    def _parts(self, name: str, parts: list[str]) -> Iterator[Rule]:
        again = repeated(parts)
        reason, field = f"duplicate_{name}s", f"max_duplicate_{name}_share"
        what = f"of the {name}s stood before"
        yield at_most(reason, what, again.share, again.first, **{field: getattr(self, field)})
        field = f"max_duplicate_{name}_character_share"
        what = f"of the characters are in {name}s that stood before"
        yield at_most(reason, what, again.character_share, again.first, **{field: getattr(self, field)})

    def _gram(self, name: str, where: str, gram: Gram) -> Rule:
        field = f"max_{name}_{gram.num_words}_gram_share"
        what = "of the characters are " + where.format(gram.num_words)
        limit = {field: getattr(self, field)}
        return at_most(f"{name}_{gram.num_words}_gram", what, gram.character_share, gram.text, **limit)
