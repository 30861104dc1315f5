"""Text that was decoded wrongly or holds what no reader sees: repaired with ftfy (Speer 2019)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from raylm.config.errors import BadInput
from raylm.config.sections import knob
from raylm.data.filters import DocumentFilter, Judge, Verdict
from raylm.data.sources import Source

# ftfy leaves a line alone that is ASCII without HTML entities, escapes and control characters.
_ASCII_TO_MEND = re.compile(r"&#?\w+;|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Unicode(DocumentFilter):
    """Repairs text such as "schÃ¶n" for "schön"; what is right already stays as it is."""

    kind: Literal["unicode"] = "unicode"
    fix_encoding: bool = True
    """Repair text that was decoded with the wrong encoding, once or several times ("mojibake")."""
    unescape_html: Literal["auto", "always", "never"] = "auto"
    """Turn entities such as &amp; into characters. auto: not where the text holds a "<", as code does."""
    remove_controls: bool = True
    """Remove characters that do nothing, such as NUL and byte-order marks, and escapes of terminals."""
    fix_line_breaks: bool = True
    """Turn all kinds of line breaks into newlines."""
    normalisation: Literal["NFC", "NFKC", "none"] = "NFC"
    """Unicode's normal form. NFC: one character for a letter with its accent; NFKC also takes away width,
    superscripts and ligatures, and thereby meaning."""
    straight_quotes: bool = knob(default=False, advanced=True)
    """Turn typographic quotes into straight ones."""
    split_ligatures: bool = knob(default=False, advanced=True)
    """Turn ligatures such as "ﬁ" into letters."""
    normal_width: bool = knob(default=False, advanced=True)
    """Turn full-width Latin letters and half-width kana into those of normal width."""

    def packages(self) -> tuple[str, ...]:
        return ("ftfy",)

    def judge(self, source: Source) -> Judge:
        del source
        mend_line = self._mend_line()

        def judge(text: str) -> Verdict:
            mended = self._mended(text, mend_line)
            return Verdict(text) if mended == text else _repaired(text, mended)

        return judge

    def _mended(self, text: str, mend_line: Callable[[str, bool], str]) -> str:
        if self.fix_line_breaks and ("\r" in text or not text.isascii()):
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            text = text.replace("\u2028", "\n").replace("\u2029", "\n").replace("\x85", "\n")
        if text.isascii() and not _ASCII_TO_MEND.search(text):
            return text
        unescape = self.unescape_html == "always" or (self.unescape_html == "auto" and "<" not in text)
        return "\n".join(
            line if line.isascii() and not _ASCII_TO_MEND.search(line) else mend_line(line, unescape)
            for line in text.split("\n")
        )

    def _mend_line(self) -> Callable[[str, bool], str]:
        try:
            from ftfy import TextFixerConfig, fix_text
        except ImportError:
            message = "the filter unicode needs the package ftfy"
            raise BadInput.one("kind", message, "pip install 'raylm[clean]'", code="extra") from None
        config = TextFixerConfig(
            explain=False,
            unescape_html=False,
            fix_encoding=self.fix_encoding,
            remove_terminal_escapes=self.remove_controls,
            remove_control_chars=self.remove_controls,
            fix_line_breaks=False,
            normalization=None if self.normalisation == "none" else self.normalisation,
            uncurl_quotes=self.straight_quotes,
            fix_latin_ligatures=self.split_ligatures,
            fix_character_width=self.normal_width,
        )
        return lambda line, unescape: fix_text(line, config._replace(unescape_html=unescape))


def _repaired(text: str, mended: str) -> Verdict:
    """Say how many lines differ, and show the first place that does."""
    before, after = text.splitlines(), mended.splitlines()
    pairs = list(zip(before, after, strict=False))
    changed = [pair for pair in pairs if pair[0] != pair[1]]
    one, other = changed[0] if changed else (text, mended)
    at = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    start = max(0, at - 30)
    excerpt = f"{one[start : at + 40]} -> {other[start : at + 40]}"
    lines = "1 line" if len(changed) == 1 else f"{len(changed)} lines"
    return Verdict(mended, "repaired", f"{lines} repaired" if changed else "line breaks", excerpt)
