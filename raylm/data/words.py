"""Words of a text for comparing texts: case, accents' encoding, punctuation and white space do not matter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

# Scripts written without spaces between words: Thai to Burmese, Khmer, kana, Han. Each character is a word.
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
_UNSPACED_MORE = r"\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_LAST = 0x1FFFF


def folded(text: str) -> str:
    """Return a text in which equal words are written equally, each character at its place in NFC."""
    text = composed(text)
    lower = text.casefold()
    if len(lower) == len(text):
        return lower
    # A few characters become several, such as one for "ss"; these stay, so that no place moves.
    return "".join(small if len(small := each.casefold()) == 1 else each for each in text)


def composed(text: str) -> str:
    """Return a text in Unicode's normal form NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def words(text: str) -> list[str]:
    """Return the words of a folded text: runs of letters, digits and marks."""
    return (_ASCII if text.isascii() else _word()).findall(text)


def word_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the words of a folded text begin and end."""
    for match in (_ASCII if text.isascii() else _word()).finditer(text):
        yield match.span()


_ASCII = re.compile(r"[0-9A-Za-z]+")


@lru_cache(maxsize=1)
def _word() -> re.Pattern[str]:
    alone = f"[{_UNSPACED}{_UNSPACED_MORE}]"
    unspaced = re.compile(alone)
    codes = (
        code
        for code in range(_LAST)
        if unicodedata.category(chr(code))[0] in "LNM" and not unspaced.match(chr(code))
    )
    return re.compile(f"[{''.join(_ranges(codes))}]+|{alone}")


def _ranges(codes: Iterable[int]) -> Iterator[str]:
    """Yield runs of codes as a regular expression writes them."""
    for _, run in groupby(enumerate(codes), key=lambda pair: pair[1] - pair[0]):
        members = [code for _, code in run]
        yield f"\\U{members[0]:08x}-\\U{members[-1]:08x}"
