"""Quality rules found for FineWeb (Penedo et al. 2024, section 3.6), beside those of C4 and Gopher."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from raylm.config.sections import knob
from raylm.data.filters import RuleFilter
from raylm.data.repeats import repeated
from raylm.data.rules import Rule, at_least, at_most, share

# Marks that end a sentence in the scripts used most (Unicode property Sentence_Terminal).
_END_MARKS = (
    ".!?\u203c\u203d\u2047\u2048\u2049\u3002\uff0e\uff01\uff1f\uff61\u061f\u06d4\u0964\u0965\u104a\u104b"
    "\u1362\u1367\u1368\u0589\u17d4\u17d5"
)


class FinewebQuality(RuleFilter):
    """Drops documents whose lines look like lists, menus or boilerplate; blank lines do not count."""

    kind: Literal["fineweb_quality"] = "fineweb_quality"
    min_end_mark_line_share: float = knob(0.12, ge=0, le=1)
    """Smallest share of lines that end a sentence (Penedo et al. 2024, 3.6: 0.12)."""
    end_marks: str = knob(_END_MARKS, advanced=True)
    """Characters that end a sentence; by default those of Unicode's Sentence_Terminal in common scripts."""
    max_short_line_share: float = knob(0.67, ge=0, le=1)
    """Largest share of short lines (Penedo et al. 2024, 3.6: 0.67)."""
    short_line_length: int = knob(30, unit="characters", ge=0, advanced=True)
    """A line of at most as many characters is short (Penedo et al. 2024, 3.6: 30)."""
    max_duplicate_line_character_share: float = knob(0.01, ge=0, le=1)
    """Largest share of characters in lines that stood before in the document (datatrove's default, with which
    FineWeb was made: 0.01; Penedo et al. 2024, 3.6, prints 0.1)."""
    max_newlines_per_word: float = knob(0.3, ge=0)
    """Most line breaks for each word (datatrove's default, with which FineWeb was made: 0.3)."""

    def rules(self, text: str) -> Iterator[Rule]:
        lines = [line for line in map(str.rstrip, text.split("\n")) if line]
        ends = share(sum(line.endswith(tuple(self.end_marks)) for line in lines), len(lines))
        what = "of the lines end a sentence"
        yield at_least("few_end_marks", what, ends, min_end_mark_line_share=self.min_end_mark_line_share)
        short = share(sum(len(line) <= self.short_line_length for line in lines), len(lines))
        what = f"of the lines have {self.short_line_length} characters or fewer"
        yield at_most("short_lines", what, short, max_short_line_share=self.max_short_line_share)
        yield self._duplicates(lines)
        newlines = share(text.count("\n"), len(text.split()))
        what = "line breaks for each word"
        yield at_most("many_newlines", what, newlines, max_newlines_per_word=self.max_newlines_per_word)

    def _duplicates(self, lines: list[str]) -> Rule:
        again = repeated(lines)
        most = self.max_duplicate_line_character_share
        what = "of the characters are in lines that stood before"
        value = again.character_share
        return at_most("duplicate_lines", what, value, again.first, max_duplicate_line_character_share=most)
