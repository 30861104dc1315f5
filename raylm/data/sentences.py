"""Where sentences begin: a few rules for prose, told by the signs alone, the same for every language.

A sentence ends

- inside a line at a full stop, a question or an exclamation mark, with the quotes and brackets that close
  after it, before white space and a letter, a digit or an opening quote or bracket; not after an abbreviation
  or an initial;
- at the end of a line;
- at a blank line, whatever stands around it.

Where the text goes on in lower case only a blank line ends one: a line may be broken at a margin, a stop may
stand inside a sentence. Scripts without case count as upper case. A text without such marks is one sentence.

Cuts stand before white space, as those of `raylm.data.chunks` do: a sentence holds the space before it.
"""

from __future__ import annotations

import re

_LETTERS = [chr(number) for number in range(0x2E00)]  # of all scripts in use that have case
_LOWER = "".join(filter(str.islower, _LETTERS))
_UPPER = "".join(filter(str.isupper, _LETTERS))
_OPENING = "\"'(\\[\u2018\u201c\u00ab\u00bf\u00a1"
_CLOSING = "\"')\\]\u2019\u201d\u00bb"
_NOT_ABBREVIATED = "".join(  # by their lengths: what is looked for backwards has one
    rf"(?<!\b{words}\.)"
    for words in (
        f"[{_UPPER}]",
        "(?i:mr|ms|dr|st|sr|jr|lt|mt|cf|vs|al|ca|pp|eq|co)",
        r"(?i:mrs|mme|rev|hon|gov|sen|gen|col|maj|sgt|e\.g|i\.e|etc|viz|fig|vol|eqs|inc|ltd)",
        "(?i:prof|capt|figs|vols|corp|bros)",
    )
)
_BEFORE_SENTENCE = rf"(?=[ \t][^\S\n]*+(?![{_LOWER}])[\w{_OPENING}])"
# A pattern for each sign: looking for one first letter is many times as fast as looking for one of several.
_STOPS = (
    re.compile(rf"\.(?:[{_CLOSING}]++|{_NOT_ABBREVIATED}){_BEFORE_SENTENCE}"),
    re.compile(rf"![{_CLOSING}]*+{_BEFORE_SENTENCE}"),
    re.compile(rf"\?[{_CLOSING}]*+{_BEFORE_SENTENCE}"),
)
_LINES = re.compile(rf"\n(?:[ \t\r]*+(\n))?+\s*+(?=\S)(?(1)|(?![{_LOWER}]))")
_CUT_BEFORE = " \n\r\t"  # other white space is none to some tokenizers


def sentence_starts(text: str) -> list[int]:
    """Return where sentences begin in a text, the first one's start (0) left out; ascending."""
    starts = [found.end() for stop in _STOPS for found in stop.finditer(text)]
    for found in _LINES.finditer(text):
        start = _gap_start(text, found.start())
        if start and text[start] in _CUT_BEFORE:
            starts.append(start)
    starts.sort()
    return starts


def _gap_start(text: str, place: int) -> int:
    """Return the start of the white space before a place."""
    while place and text[place - 1].isspace():
        place -= 1
    return place
