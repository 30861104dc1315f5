"""Lines of evaluation sets, and finding them in a text (decontamination; Brown et al. 2020, appendix C)."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.config.errors import BadInput
from raylm.data.files import PACKED
from raylm.data.reading import as_error, read_lines, read_text
from raylm.data.shingles import Hashes, mix
from raylm.data.sources import BadRow
from raylm.data.words import folded, word_spans, words

_BASE = np.uint64(0x9E3779B97F4A7C15)
_TABLE_BITS = 22
_ENOUGH_WORDS = 5  # a line of symbols with fewer words, "( not ( True ) ) is", is compared sign by sign


class Line(NamedTuple):
    """A line of an evaluation set."""

    text: str
    file: str
    """What the file is called."""


class Match(NamedTuple):
    """An evaluation line, or a part of it, in a text."""

    start: int
    end: int
    """In characters of the text in NFC."""
    file: str


class EvaluationIndex:
    """What must not stand in a text.

    A line of at least `min_words` words, parted by white space or as `words` parts them, is found anywhere by
    any run of min(`size`, its words) words. A shorter line is found where it is all of a line; one of fewer
    than `min_whole_words` words, such as an answer "None", where it is all of a text. Words are compared as
    `folded` and `words` give them.
    """

    def __init__(self, lines: Iterable[Line], size: int, min_words: int, min_whole_words: int) -> None:
        self._size = size
        self._min_words = min_words
        self._min_whole_words = min_whole_words
        self._numbers: dict[str, int] = {}
        self._whole: dict[str, str] = {}
        self._literal: dict[str, str] = {}
        runs: dict[int, dict[tuple[int, ...], str]] = defaultdict(dict)
        for line in lines:
            self._add(line, runs)
        self._longest_whole = max((key.count(" ") + 1 for key in self._whole), default=0)
        self._runs = {length: _Runs.of(runs[length]) for length in sorted(runs)}
        self._head = min(self._runs, default=0)
        self._table = np.zeros(1 << _TABLE_BITS, np.uint16)
        for place, each in enumerate(self._runs.values()):
            self._table[_slots(_hash(each.numbers[:, : self._head]))] |= _bit(place)

    def _add(self, line: Line, runs: dict[int, dict[tuple[int, ...], str]]) -> None:
        text = folded(line.text)
        parts = words(text)
        if not parts:
            return
        pieces = text.split()
        if len(parts) < self._min_words and len(pieces) < self._min_words:
            self._whole.setdefault(" ".join(parts), line.file)
            return
        if len(parts) < min(_ENOUGH_WORDS, self._min_words):
            self._literal.setdefault(" ".join(pieces), line.file)
            return
        numbers = [self._numbers.setdefault(word, len(self._numbers) + 1) for word in parts]
        length = min(self._size, len(numbers))
        for start in range(len(numbers) - length + 1):
            runs[length].setdefault(tuple(numbers[start : start + length]), line.file)

    def find(self, text: str) -> list[Match]:
        """Return the matches in order; one may lie over another."""
        text = folded(text)
        lines = [words(line) for line in text.split("\n")]
        found = [*self._find_runs([word for line in lines for word in line]), *self._find_whole(lines)]
        spans = list(word_spans(text)) if found else []
        matches = [Match(spans[first][0], spans[last][1], file) for first, last, file in found]
        return sorted([*matches, *self._find_literal(text)])

    def _find_literal(self, text: str) -> Iterator[Match]:
        plain = " ".join(text.split()) if self._literal else ""
        for line, file in self._literal.items():
            if line in plain:
                signs = r"\s+".join(map(re.escape, line.split()))
                yield from (Match(*match.span(), file) for match in re.finditer(signs, text))

    def _find_whole(self, lines: list[list[str]]) -> Iterator[tuple[int, int, str]]:
        first = 0
        num_words = sum(map(len, lines))
        for line in lines if self._whole else ():
            long_enough = len(line) >= min(self._min_whole_words, num_words)
            if line and long_enough and len(line) <= self._longest_whole:
                file = self._whole.get(" ".join(line))
                if file is not None:
                    yield first, first + len(line) - 1, file
            first += len(line)

    def _find_runs(self, parts: list[str]) -> Iterator[tuple[int, int, str]]:
        count = len(parts) - self._head + 1
        if not self._runs or count <= 0:
            return
        get = self._numbers.get
        numbers = np.fromiter([get(word, 0) for word in parts], np.uint64, len(parts))
        lengths = self._lengths(numbers, count)
        starts = np.flatnonzero(lengths)
        lengths = lengths[starts]
        for place, (length, runs) in enumerate(self._runs.items() if len(starts) else ()):
            within = starts[(lengths & _bit(place) != 0) & (starts <= len(numbers) - length)]
            if len(within):
                windows = numbers[within[:, None] + np.arange(length)]
                for window, run in runs.find(windows):
                    first = int(within[window])
                    yield first, first + length - 1, runs.files[run]

    def _lengths(self, numbers: Hashes, count: int) -> NDArray[np.uint16]:
        """Return for each place which lengths of runs may begin there, a bit each."""
        mixed = mix(numbers)
        hashes = mixed[:count].copy()
        for ahead in range(1, self._head):
            hashes *= _BASE
            hashes += mixed[ahead : ahead + count]
        return self._table[_slots(hashes)]


class _Runs(NamedTuple):
    """Runs of words of one length, ordered by hash."""

    numbers: NDArray[np.uint64]
    """(runs, length)"""
    hashes: Hashes
    files: list[str]

    @classmethod
    def of(cls, runs: dict[tuple[int, ...], str]) -> _Runs:
        numbers = np.array(list(runs), np.uint64)
        hashes = _hash(numbers)
        order = np.argsort(hashes, kind="stable")
        files = list(runs.values())
        return cls(numbers[order], hashes[order], [files[place] for place in order.tolist()])

    def find(self, windows: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
        """Yield which windows are runs, and which run each is."""
        hashes = _hash(windows)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        is_equal = (self.hashes[places] == hashes) & (self.numbers[places] == windows).all(axis=1)
        for window in np.flatnonzero(is_equal).tolist():
            yield window, int(places[window])


def _hash(numbers: NDArray[np.uint64]) -> Hashes:
    """Return a hash for each row of word numbers."""
    mixed = mix(numbers)
    hashes = np.zeros(len(numbers), np.uint64)
    for column in range(numbers.shape[1]):
        hashes = hashes * _BASE + mixed[:, column]
    return hashes


def _bit(place: int) -> np.uint16:
    """Return the bit of the place-th length; the last bit stands for all that come after."""
    return np.uint16(1 << min(place, 15))


def _slots(hashes: Hashes) -> NDArray[np.int64]:
    return (mix(hashes) >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)


def by_file(matches: Iterable[Match]) -> Counter[str]:
    """Return how many matches there are of each file."""
    return Counter(match.file for match in matches)


def evaluation_lines(name: str, fields: tuple[str, ...]) -> Iterator[Line]:
    """Yield the lines of an evaluation file: of text, or of the texts in JSON Lines or JSON.

    Args:
        name: a path or address; .gz and .zst are unpacked.
        fields: the fields of JSON whose texts count, at any depth; none: all.

    Raises:
        BadInput: the file cannot be read, is not what its name says, or has none of the fields.
    """
    path = PurePosixPath(name)
    suffix = PurePosixPath(path.stem).suffix if path.suffix in PACKED else path.suffix
    read = _JSON.get(suffix)
    has_any = False
    for value, place in read(name) if read else _text_lines(name):
        texts = list(_texts(value, fields if read else ()))
        if read and fields and not texts:
            raise _no_field(value, fields, place)
        has_any = True
        yield from (Line(line, path.name) for text in texts for line in text.split("\n"))
    if not has_any:
        raise BadInput.one("against", f"{name} has no lines", "leave it out", code="empty")


def _no_field(value: Any, fields: tuple[str, ...], place: str) -> BadInput:
    columns = ", ".join(value) if isinstance(value, dict) else "none"
    message = f"no text in {' or '.join(fields)}; the fields are {columns}"
    return BadInput.one("fields", message, location=place, code="field")


def _texts(value: Any, fields: tuple[str, ...]) -> Iterator[str]:
    """Yield every text in a JSON value, or those below certain fields."""
    if isinstance(value, str):
        if not fields:
            yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, () if key in fields else fields)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, fields)


def _text_lines(name: str) -> Iterator[tuple[str, str]]:
    for lines in read_lines(name):
        if isinstance(lines, BadRow):
            raise as_error(lines)
        for number, line in enumerate(lines.lines, start=lines.first):
            yield line, f"{name}:{number}"


def _json_lines(name: str) -> Iterator[tuple[Any, str]]:
    for line, place in _text_lines(name):
        if not line.strip():
            continue
        try:
            yield json.loads(line), place
        except ValueError:
            raise BadInput.one(
                "against", "not JSON", "each line must be a JSON value", place, "json"
            ) from None


def _json_file(name: str) -> Iterator[tuple[Any, str]]:
    text = "".join(read_text(name))
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{name}:{error.lineno}"
        raise BadInput.one("against", f"not JSON: {error.msg}", "copy it again", place, "json") from None
    for number, item in enumerate(value if isinstance(value, list) else [value], start=1):
        yield item, f"{name}:{number}"


_JSON = {".jsonl": _json_lines, ".ndjson": _json_lines, ".json": _json_file}
