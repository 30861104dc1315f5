"""The items of a JSON list, read without holding the list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from raylm.config.errors import BadInput

_SPACE = re.compile(r"[ \t\r\n]*")
_LONGEST_WORD = 10  # of JSON's, such as -Infinity; an error this near to the end may be a word cut in two


def read_items(blocks: Iterator[str], name: str) -> Iterator[tuple[int, Any]]:
    """Yield each item of a list and the line where it begins.

    Args:
        blocks: the text that begins with the list.
        name: of the file, for errors.

    Raises:
        BadInput: the text is not one JSON list; names the line.
    """
    text = _Text(blocks, name)
    text.expect("[")
    if text.peek() == "]":
        return
    mark = ","
    while mark == ",":
        text.peek()
        line = text.line()
        yield line, text.item()
        mark = text.expect(",]")
    if text.peek():
        raise text.error("something after the list")


class _Text:
    """The part of the text that is being read."""

    def __init__(self, blocks: Iterator[str], name: str) -> None:
        self._blocks = blocks
        self._name = name
        self._text = ""
        self._at = 0
        self._line, self._line_at = 1, 0
        self._decode = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        """Go to the next character that is not white space and return it; "" at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            assert found is not None
            self._at = found.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_on():
                return ""

    def expect(self, characters: str) -> str:
        """Take the next character, which must be one of these."""
        found = self.peek()
        if not found:
            raise self.error("not JSON (file cut off?)")
        if found not in characters:
            raise self.error(f"not JSON: expecting {' or '.join(characters)}")
        self._at += 1
        return found

    def item(self) -> Any:
        """Take the next value."""
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated") or error.pos > len(self._text) - _LONGEST_WORD
                if is_cut and self._read_on():
                    continue
                raise self.error("not JSON (file cut off?)" if is_cut else f"not JSON: {error.msg}") from None
            except (ValueError, RecursionError) as error:
                raise self.error(f"cannot be read: {error}") from None
            if end < len(self._text) or not self._read_on():  # 12 may be the beginning of 123
                self._at = end
                return value

    def line(self) -> int:
        """Return the line of the place that is reached."""
        self._line += self._text.count("\n", self._line_at, self._at)
        self._line_at = self._at
        return self._line

    def error(self, message: str) -> BadInput:
        place = f"{self._name}:{self.line()}"
        mend = "write one object a line, or one list of objects"
        return BadInput.one("path", message, mend, place, "not-json")

    def _read_on(self) -> bool:
        """Read as much again as is held, so that a long item is not tried too often; False at the end."""
        self.line()
        held = self._text[self._at :]
        parts, size = [held], 0
        while size <= len(held) and (block := next(self._blocks, None)) is not None:
            parts.append(block)
            size += len(block)
        self._text, self._at, self._line_at = "".join(parts), 0, 0
        return size > 0
