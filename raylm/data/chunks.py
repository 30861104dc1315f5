"""Cutting a long text where no token is cut, so that memory is bounded and cores share the work."""

from __future__ import annotations

import re
from collections.abc import Iterator

CHUNK_CHARACTERS = 1 << 16
_SEARCH_CHARACTERS = 1 << 10
# No tokenizer of ours joins a word to the space after it, so that a cut there changes no token.
_LAST_WORD_END = re.compile(r".*\S(?=[ \n])", re.DOTALL)


def chunks(text: str) -> Iterator[str]:
    """Cut a long text at ends of words; where there are none, anywhere."""
    start = 0
    while len(text) - start > CHUNK_CHARACTERS:
        stop = start + CHUNK_CHARACTERS
        window = text[stop - _SEARCH_CHARACTERS : stop]
        if found := _LAST_WORD_END.match(window):
            stop -= _SEARCH_CHARACTERS - found.end()
        yield text[start:stop]
        start = stop
    yield text[start:]
