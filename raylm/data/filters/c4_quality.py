"""Quality rules of C4 (Raffel et al. 2020, section 2.2), made for English web pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Literal, NamedTuple

from raylm.config.sections import knob
from raylm.data.filters import DocumentFilter, Judge, Verdict
from raylm.data.sources import Source

_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
_ELLIPSES = ("...", "…")
_POLICY = re.compile("terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies")
# An end mark before a space or the end, quotes and brackets in between; "Mr. X" and "J. Y" end no sentence.
_SENTENCE_END = re.compile(
    r"""[.!?…](?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\b[A-Z]\.)(?<!\bvs\.)"""
    r"""(?<!\be\.g\.)(?<!\bi\.e\.)['"\u2019”)\]]*(?=\s|$)"""
)
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n")


class _Line(NamedTuple):
    text: str
    """Without citations."""
    fault: str
    """Why the line is left out; "" when it is not."""


class C4Quality(DocumentFilter):
    """Leaves out lines that are no prose; drops documents of which little is left or that look like code."""

    kind: Literal["c4_quality"] = "c4_quality"
    by: Literal["line", "paragraph"] = "line"
    """What is left out as one: a line, as in C4; or a paragraph, where lines are broken at a fixed width."""
    end_marks: str = '.?!"”'
    """A line must end in one of these characters, and not in an ellipsis; empty: any end will do (Raffel et
    al. 2020, 2.2: full stop, question mark, exclamation mark, closing quote)."""
    min_words_per_line: int = knob(3, unit="words", ge=0)
    """Fewest words of a line (Raffel et al. 2020, 2.2: 3)."""
    max_word_length: int = knob(1000, unit="characters", ge=1, advanced=True)
    """A line with a longer word is left out (C4's code in TensorFlow Datasets, c4_utils.py: 1000)."""
    min_sentences: int = knob(5, unit="sentences", ge=0)
    """Fewest sentences of a document, after its lines were judged (Raffel et al. 2020, 2.2: 5)."""
    drop_javascript_lines: bool = True
    """Leave out lines with the word Javascript (Raffel et al. 2020, 2.2)."""
    drop_policy_lines: bool = True
    """Leave out lines about cookies, privacy policy and terms of use (Raffel et al. 2020, 2.2)."""
    drop_lorem_ipsum: bool = True
    """Drop documents with the phrase "lorem ipsum" (Raffel et al. 2020, 2.2)."""
    drop_curly_brackets: bool = True
    """Drop documents with a curly bracket, a sign of code (Raffel et al. 2020, 2.2); not for code."""
    remove_citations: bool = knob(default=True, advanced=True)
    """Take out Wikipedia's marks such as [3], [edit] and [citation needed] (Raffel et al. 2020, 2.2)."""
    blocked_words: tuple[str, ...] = knob((), advanced=True)
    """Drop documents with one of these words, whatever its case. C4 used a list of dirty, naughty, obscene
    and otherwise bad words (Raffel et al. 2020, 2.2); raylm brings none."""

    def judge(self, source: Source) -> Judge:
        del source
        return self._judge

    def _judge(self, text: str) -> Verdict:
        lowered = text.lower()
        if broken := self._document_fault(text, lowered):
            return broken
        lines = [self._line(part) for part in self._parts(text)]
        faults = Counter(line.fault for line in lines if line.fault)
        kept = [line.text for line in lines if not line.fault]
        num_sentences = sum(map(_num_sentences, kept))
        if num_sentences < self.min_sentences:
            detail = (
                f"{num_sentences} sentences in the lines that stay, min_sentences is {self.min_sentences}"
            )
            return Verdict(None, "few_sentences", detail, found=faults)
        return self._left(text, kept, lines, faults)

    def _document_fault(self, text: str, lowered: str) -> Verdict | None:
        if self.drop_lorem_ipsum and (at := lowered.find("lorem ipsum")) >= 0:
            return Verdict(None, "lorem_ipsum", 'the phrase "lorem ipsum"', _around(text, at))
        if self.drop_curly_brackets and (at := text.find("{")) >= 0:
            return Verdict(None, "curly_bracket", "a curly bracket", _around(text, at))
        if self.blocked_words and (match := self._blocked.search(text)):
            return Verdict(None, "blocked_word", f"the word {match[0]}", _around(text, match.start()))
        return None

    @cached_property
    def _blocked(self) -> re.Pattern[str]:
        words = "|".join(map(re.escape, self.blocked_words))
        return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)

    def _parts(self, text: str) -> Iterator[str]:
        if self.by == "line":
            yield from text.split("\n")
            return
        for paragraph in re.split(r"(\n\s*\n)", text):
            yield paragraph.strip("\n")

    def _line(self, line: str) -> _Line:
        if not line or line.isspace():
            return _Line(line, "")
        if self.remove_citations and "[" in line:
            line = _CITATION.sub("", line)
        return _Line(line, next(self._line_faults(line), ""))

    def _line_faults(self, line: str) -> Iterator[str]:
        end = line.rstrip()
        words = end.split()
        if len(end) > self.max_word_length and max(map(len, words)) > self.max_word_length:
            yield "long_word"
        if self.end_marks and (not end.endswith(tuple(self.end_marks)) or end.endswith(_ELLIPSES)):
            yield "no_end_mark"
        if len(words) < self.min_words_per_line:
            yield "few_words"
        lowered = line.lower()
        if self.drop_javascript_lines and "javascript" in lowered:
            yield "javascript"
        if self.drop_policy_lines and _POLICY.search(lowered):
            yield "policy"

    def _left(self, text: str, kept: list[str], lines: list[_Line], faults: Counter[str]) -> Verdict:
        """Return the text without the faulty lines; what no line was taken out of stays as it was."""
        joined = ("\n" if self.by == "line" else "\n\n").join(
            filter(None, kept) if self.by != "line" else kept
        )
        if not faults:
            is_same = not (self.remove_citations and _CITATION.search(text))
            return Verdict(text) if is_same else Verdict(joined, "citations", "citation marks taken out")
        left = _BLANK_LINES.sub("\n\n", joined).strip("\n")
        counts = ", ".join(f"{count} {fault}" for fault, count in faults.most_common())
        detail = f"{faults.total()} of {sum(bool(line.text.strip()) for line in lines)} {self.by}s: {counts}"
        first = next(line.text for line in lines if line.fault)
        return Verdict(left, faults.most_common(1)[0][0], detail, first, found=faults)


def _num_sentences(line: str) -> int:
    """Return the sentences of a line that stays: at least one, unless it is blank."""
    return max(len(_SENTENCE_END.findall(line)), 1) if line.strip() else 0


def _around(text: str, at: int) -> str:
    return text[max(0, at - 60) : at + 100]
