"""Questions about passages in the nested JSON of SQuAD 1.1 and 2.0."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from raylm.config.errors import BadInput
from raylm.data.file_source import TextFileSource
from raylm.data.reading import read_text
from raylm.data.records import RowText, type_name
from raylm.data.row_source import Row, RowSource, check_columns
from raylm.data.sources import BadRow, Input, Source

_FIELDS = ("id", "title", "context", "question", "answers")
_FORM = 'want {"data": [{"title", "paragraphs": [{"context", "qas": [{"question", "answers"}]}]}]}'


class Squad(RowSource, TextFileSource, Source):
    """Files in SQuAD's form, plain or packed; a question is a row.

    Its fields are `id`, `title`, `context`, `question` and `answers`, in which `text` and `answer_start` are
    lists; both are empty for a question that the passage does not answer.
    """

    kind: Literal["squad"] = "squad"

    def rows(self, item: Input, maker: RowText) -> Iterator[Row | BadRow]:
        check_columns(maker, _FIELDS, item.name)
        number = 0
        for article in _list_in(self._whole(item.name), "data", item.name):
            for paragraph in _list_in(article, "paragraphs", item.name):
                for question in _list_in(paragraph, "qas", item.name):
                    number += 1
                    yield _row_of((article, paragraph, question), f"{item.name}:{number}")

    def _whole(self, name: str) -> Any:
        try:
            return json.loads("".join(read_text(name, self.encoding, self.errors)))
        except json.JSONDecodeError as error:
            message = f"not JSON: {error.msg[0].lower()}{error.msg[1:]}"
            raise BadInput.one("path", message, _FORM, f"{name}:{error.lineno}", "not-json") from None
        except (ValueError, RecursionError) as error:
            raise BadInput.one("path", f"{name} cannot be read: {error}", code="not-json") from None


def _list_in(value: Any, key: str, name: str) -> list[Any]:
    """Return the list at a key.

    Raises:
        BadInput: there is none, so that the file is of another form.
    """
    found = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(found, list):
        mend = f"{_FORM}; for an object a line, take the kind jsonl"
        raise BadInput.one("path", f"{name} has no list {key!r} where SQuAD has it", mend, code="form")
    return found


def _row_of(levels: tuple[Any, Any, Any], place: str) -> Row | BadRow:
    """Return the row of an article, one of its paragraphs and one of its questions."""
    article, paragraph, question = levels
    if not isinstance(question, Mapping):
        return BadRow(place, "path", f"question: want an object, got {type_name(question)}", _FORM, "form")
    answers = _answers(question.get("answers", []))
    if answers is None:
        mend = "write such as {text: Paris, answer_start: 17}"
        return BadRow(place, "path", "answers: want a list of text and answer_start", mend, "form")
    values = {
        "id": question.get("id"),
        "title": article.get("title", ""),
        "context": paragraph.get("context"),
        "question": question.get("question"),
        "answers": answers,
    }
    return Row(place, values)


def _answers(found: Any) -> dict[str, list[Any]] | None:
    if not isinstance(found, list):
        return None
    try:
        texts, starts = [a["text"] for a in found], [a["answer_start"] for a in found]
    except (KeyError, TypeError):
        return None
    return {"text": texts, "answer_start": starts}
