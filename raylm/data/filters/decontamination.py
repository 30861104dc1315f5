"""Documents that hold lines of evaluation sets, found by n-grams (Brown et al. 2020, appendix C)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from raylm.config.errors import BadInput, Problem
from raylm.config.sections import knob
from raylm.data.evaluation import EvaluationIndex, Match, by_file, evaluation_lines
from raylm.data.files import file_digest, find_files
from raylm.data.filters import DocumentFilter, Judge, Verdict
from raylm.data.sources import Source
from raylm.data.words import composed


class Decontamination(DocumentFilter):
    """Keeps evaluation sets out of the texts; case, punctuation and white space make no difference."""

    kind: Literal["decontamination"] = "decontamination"
    against: tuple[str, ...]
    """Files of evaluation sets, patterns allowed: text, of which each line counts; .jsonl and .json, of
    which each line of each text counts. Names that end in .gz or .zst are unpacked."""
    fields: tuple[str, ...] = ()
    """The fields of JSON that count, such as question, at any depth; none: all that are text."""
    action: Literal["drop", "redact", "report"] = "drop"
    """What becomes of a document with a match: dropped, the matches cut out of it, or counted only."""
    ngram_words: int = knob(13, unit="words", ge=1, le=1000, advanced=True)
    """A document matches with as many words in a row of an evaluation line, or all of a shorter line (Brown
    et al. 2020, appendix C: 13)."""
    min_line_words: int = knob(8, unit="words", ge=1, le=1000, advanced=True)
    """An evaluation line of fewer words matches only where it is a whole line of a document (Brown et al.
    2020, appendix C: 8)."""
    min_whole_line_words: int = knob(3, unit="words", ge=1, le=1000, advanced=True)
    """An evaluation line of fewer words, such as an answer "None", matches only a document that is nothing
    else; in a book such a line says nothing."""

    @field_validator("against")
    @classmethod
    def _not_empty(cls, against: tuple[str, ...]) -> tuple[str, ...]:
        if not against or not all(name.strip() for name in against):
            raise ValueError("name at least one file of an evaluation set")
        return against

    def problems(self, sources: Sequence[Source]) -> Iterator[Problem]:
        del sources
        try:
            self._index()
        except BadInput as error:
            yield from (
                replace(problem, field="against") if problem.field == "path" else problem
                for problem in error.problems
            )

    def settings(self) -> dict[str, Any]:
        files = [[Path(name).name, digest] for name, digest in self._files()]
        return {**super().settings(), "against": files}

    def judge(self, source: Source) -> Judge:
        del source
        return partial(self._judge, self._index())

    def _files(self) -> tuple[tuple[str, str], ...]:
        """Return the files' names and digests."""
        return tuple((item.name, _digest(item.name, _state(item.name))) for item in find_files(self.against))

    def _index(self) -> EvaluationIndex:
        return _load(self._files(), self.fields, self._sizes())

    def _sizes(self) -> tuple[int, int, int]:
        return self.ngram_words, self.min_line_words, self.min_whole_line_words

    def _judge(self, index: EvaluationIndex, text: str) -> Verdict:
        matches = index.find(text)
        if not matches:
            return Verdict(text)
        found = by_file(matches)
        if self.action == "report":
            return Verdict(text, found=found)
        text = composed(text)
        first = matches[0]
        detail = ", ".join(f"{count} x {file}" for file, count in sorted(found.items()))
        left = None if self.action == "drop" else _without(text, matches)
        return Verdict(left, "evaluation_text", detail, text[first.start : first.end], found)


def _without(text: str, matches: list[Match]) -> str:
    """Return a text without the matches, which are in order and may lie over each other."""
    parts, end = [], 0
    for match in matches:
        if match.start > end:
            parts.append(text[end : match.start])
        end = max(end, match.end)
    return "".join([*parts, text[end:]])


def _state(name: str) -> tuple[int, int]:
    """Return what changes when a local file does; an address is read once a process."""
    try:
        found = Path(name).stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=256)
def _digest(name: str, state: tuple[int, int]) -> str:
    del state  # part of the key, so that a file that changed is read again
    return file_digest(name, lambda _: None)


@lru_cache(maxsize=4)
def _load(
    files: tuple[tuple[str, str], ...], fields: tuple[str, ...], sizes: tuple[int, int, int]
) -> EvaluationIndex:
    lines = (line for name, _ in files for line in evaluation_lines(name, fields))
    return EvaluationIndex(lines, *sizes)
