"""Words with a tag each, one a line, sentences parted by blank lines: the form of CoNLL's shared tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Literal

from raylm.config.sections import knob
from raylm.data.file_source import TextFileSource
from raylm.data.files import suffix_of
from raylm.data.records import RowText
from raylm.data.row_source import Row, RowSource, check_columns
from raylm.data.sources import BadRow, Input, Source

_DOCUMENT = "-DOCSTART-"  # CoNLL-2003's line between documents


class Conll(RowSource, TextFileSource, Source):
    """Files of tagged words, plain or packed; a sentence is a row of the lists tokens and tags."""

    kind: Literal["conll"] = "conll"
    token_column: int | None = None
    """The column of the words, from 0, or -1 for the last; unset: the first, in .iob2 files the second."""
    tag_column: int | None = None
    """The column of the tags; unset: the last, in .iob2 files the third."""
    comment: str = knob("# ", advanced=True)
    """What a line before a sentence begins with that is no word; "" if there are none."""

    def digest(self, item: Input, progress: Callable[[int], None]) -> str:
        content = super().digest(item, progress)  # the name decides the columns, so it counts too
        return hashlib.sha256(f"{self._columns(item.name)}{content}".encode()).hexdigest()

    def rows(self, item: Input, maker: RowText) -> Iterator[Row | BadRow]:
        check_columns(maker, ("tokens", "tags"), item.name)
        columns = self._columns(item.name)
        for first, sentence in self._sentences(item.name):
            row = _row_of(sentence, first, item.name, columns)
            if row is not None:
                yield row

    def _columns(self, name: str) -> tuple[int, int]:
        usual = (1, 2) if suffix_of(name) == ".iob2" else (0, -1)
        token = usual[0] if self.token_column is None else self.token_column
        return token, usual[1] if self.tag_column is None else self.tag_column

    def _sentences(self, name: str) -> Iterator[tuple[int, list[str | BadRow]]]:
        """Yield the lines of each sentence and the number of the first."""
        sentence: list[str | BadRow] = []
        number = 0
        for line in self.lines(name):
            number += 1
            if isinstance(line, str) and not line.strip():
                if sentence:
                    yield number - len(sentence), sentence
                sentence = []
            elif sentence or not self._is_comment(line):
                sentence.append(line)
        if sentence:
            yield number + 1 - len(sentence), sentence

    def _is_comment(self, line: str | BadRow) -> bool:
        return bool(self.comment) and isinstance(line, str) and line.startswith(self.comment)


def _row_of(
    sentence: list[str | BadRow], first: int, name: str, columns: tuple[int, int]
) -> Row | BadRow | None:
    """Return the row of a sentence, None for a line between documents."""
    tokens, tags = [], []
    for number, line in enumerate(sentence, start=first):
        if isinstance(line, BadRow):
            return line
        fields = line.split("\t") if "\t" in line else line.split()
        if not all(-len(fields) <= column < len(fields) for column in columns) or len(fields) == 1:
            return _few(fields, columns, f"{name}:{number}")
        token, tag = (fields[column].strip() for column in columns)
        if not token or not tag:
            what = "tag" if token else "word"
            return BadRow(f"{name}:{number}", "path", f"the {what} is blank", "write it", "blank")
        tokens.append(token)
        tags.append(tag)
    return None if tokens == [_DOCUMENT] else Row(f"{name}:{first}", {"tokens": tokens, "tags": tags})


def _few(fields: list[str], columns: tuple[int, int], place: str) -> BadRow:
    count = f"{len(fields)} {'column' if len(fields) == 1 else 'columns'}"
    message = f"{count}, want a word in column {columns[0]} and a tag in column {columns[1]}"
    mend = "part them by a tab, or set the source's token_column and tag_column"
    return BadRow(place, "path", message, mend, "columns")
