"""Question answering: which words of a context answer a question (Rajpurkar et al. 2016, 2018: SQuAD)."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from raylm.config.sections import knob
from raylm.data.records import FieldText, NoTextError, look_up, type_name
from raylm.metrics.answers_in_text import answers_in_text
from raylm.tasks import AnswerKind, Encoded, Judged, Record, Task

if TYPE_CHECKING:
    from tokenizers import Encoding

    from raylm.data.text_encoder import TextEncoder

_ASKING = frozenset({"what", "who", "whom", "whose", "which", "when", "where", "why", "how"})
_WORD = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]+")


class Window(NamedTuple):
    """A question with a part of its context, as a model reads it."""

    tokens: list[int]
    first: int
    """The place of the first context token in it."""
    offsets: list[tuple[int, int]]
    """Where in the context each context token stands: its first character, and the one after its last."""
    no_answer: int
    """The place that both ends have where the window holds no answer: the class token, else 0."""

    def span(self, first: int, last: int, context: str) -> str:
        """Return the words from one token of the window to another; "" if one is outside the context."""
        start, stop = first - self.first, last - self.first
        if not 0 <= start <= stop < len(self.offsets):
            return ""
        return context[self.offsets[start][0] : self.offsets[stop][1]].strip()

    def places(self, start: int, stop: int) -> tuple[int, int] | None:
        """Return the first and last token of some characters of the context; None if not all are here."""
        if not self.offsets or start < self.offsets[0][0] or stop > self.offsets[-1][1]:
            return None
        inside = [
            place for place, (low, high) in enumerate(self.offsets, self.first) if low < stop and high > start
        ]
        return (inside[0], inside[-1]) if inside else None


class QuestionAnswering(Task):
    """Questions about a context, answered by words of it; a context may hold no answer."""

    kind: Literal["question_answering"] = "question_answering"
    context_field: str = "context"
    """The field of the text that holds the answer."""
    question_field: str = "question"
    """The field of the question."""
    answers_field: str = "answers"
    """The field of the right answers: {"text": [...], "answer_start": [...]} as in SQuAD, or a list of
    {"text": ..., "answer_start": ...}; an empty list where the context holds none."""
    window: int | None = knob(None, unit="tokens", ge=16, le=10**6)
    """Tokens a model reads at once, question included; a longer context is read in several windows. Unset:
    train.sequence_length."""
    stride: int = knob(64, unit="tokens", ge=0, le=10**6, advanced=True)
    """Tokens of the context that two windows share, so that an answer at the edge of one is whole in the
    other; at most half of those there is room for."""

    objectives: ClassVar[tuple[str, ...]] = ("question_answering",)
    answers: ClassVar[AnswerKind] = "span"
    follow_sequence_length: ClassVar[tuple[str, ...]] = ("window",)
    split_fields: ClassVar[tuple[str, ...]] = ("context",)

    def field_names(self) -> tuple[str, ...]:
        return (self.context_field, self.question_field, self.answers_field)

    def record(self, values: Mapping[str, Any]) -> Record:
        texts = {"context": self.context_field, "question": self.question_field}
        found: Record = {name: FieldText(field).of(values) for name, field in texts.items()}
        for name, field in texts.items():
            if not found[name].strip():
                raise NoTextError(f"{field} is empty", code="empty", name=field)
        name = self.answers_field
        given = values[name] if name in values else look_up(values, name, was_seen=False)
        answers = [self._answer(*each, found["context"]) for each in self._pairs(given)]
        return found | {"answers": [each for each in answers if each["text"]]}

    def _pairs(self, given: Any) -> list[tuple[Any, Any]]:
        """Return texts and starts, however they are written."""
        name = self.answers_field
        if given is None:
            raise NoTextError(f"{name} is null", "an empty list where there is no answer", "null", name)
        rows = given if isinstance(given, list) else [given]
        pairs: list[tuple[Any, Any]] = []
        for row in rows:
            if not isinstance(row, Mapping) or not {"text", "answer_start"} <= {*row}:
                got = f"{type_name(row)} without them" if isinstance(row, Mapping) else type_name(row)
                raise NoTextError(f"{name}: want text and answer_start, got {got}", "", "type", name)
            texts, starts = (
                each if isinstance(each, list) else [each] for each in (row["text"], row["answer_start"])
            )
            if len(texts) != len(starts):
                message = f"{name}: {len(texts)} text, {len(starts)} answer_start"
                raise NoTextError(message, "give one start for each text", "lengths", name)
            pairs += zip(texts, starts, strict=True)
        return pairs

    def _answer(self, text: Any, start: Any, context: str) -> dict[str, Any]:
        name = self.answers_field
        if not isinstance(text, str) or not isinstance(start, int) or isinstance(start, bool):
            message = f"{name}: want a text and a whole number, got {type_name(text)} and {type_name(start)}"
            raise NoTextError(message, "", "type", name)
        if text.strip() and (start < 0 or not context.startswith(text, start)):
            there = context[max(0, start) : max(0, start) + len(text)] if start >= 0 else ""
            message = f"{name}: {text[:80]!r} does not stand at {start} of {self.context_field}"
            message += f", {there[:80]!r} does" if there else ""
            found = context.find(text)
            mend = f"it stands at {found}" if found >= 0 else "answer_start counts characters from 0"
            raise NoTextError(message, mend, "answer-start", name)
        return {"text": text.strip(), "start": start + len(text) - len(text.lstrip())}

    def texts(self, record: Record) -> tuple[str, ...]:
        return (record["context"], record["question"])

    def windows(self, record: Record, encoder: TextEncoder) -> list[Window]:
        """Return the windows of a record, one or more, that together hold its whole context."""
        parts = _Parts.of(encoder.whole(record["question"], record["context"]))
        if self.window is None:
            return [parts.window(0, len(parts.context), encoder)]
        parts = parts._replace(question=parts.question[: self.window // 2])
        room = max(1, self.window - parts.num_around)
        cuts = _cuts(len(parts.context), room, self.stride)
        return [parts.window(start, stop, encoder) for start, stop in cuts]

    def encode(self, record: Record, encoder: TextEncoder) -> list[Encoded]:
        return [
            Encoded(window.tokens, _target(window, record["answers"]))
            for window in self.windows(record, encoder)
        ]

    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        right = [[each["text"] for each in record["answers"]] for record in records]
        return Judged(*answers_in_text(right, answers))

    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        # Training learns the first answer; none at all counts as one of no words.
        lengths = [len(record["answers"][0]["text"].split()) if record["answers"] else 0 for record in train]
        rng = random.Random(0)  # noqa: S311 - a baseline is no secret
        return {"random span": [_random_span(record["context"], rng, lengths or [1]) for record in records]}

    def group(self, record: Record) -> str | None:
        first = _LETTERS.search(record["question"].lower())
        return first[0] if first and first[0] in _ASKING else None


class _Parts(NamedTuple):
    """The input of a question and its context, taken apart."""

    before: list[int]
    question: list[int]
    between: list[int]
    context: list[int]
    after: list[int]
    offsets: list[tuple[int, int]]
    """Of the context's tokens."""

    @classmethod
    def of(cls, encoding: Encoding) -> _Parts:
        ids, owners = encoding.ids, encoding.sequence_ids
        question = [place for place, owner in enumerate(owners) if owner == 0]
        context = [place for place, owner in enumerate(owners) if owner == 1]
        # A text may have no tokens: characters of no meaning are dropped. What stands around stays in order.
        first, last = (question[0], question[-1] + 1) if question else (0, 0)
        begin, end = (context[0], context[-1] + 1) if context else (len(ids), len(ids))
        return cls(
            ids[:first],
            ids[first:last],
            ids[last:begin],
            ids[begin:end],
            ids[end:],
            encoding.offsets[begin:end],
        )

    @property
    def num_around(self) -> int:
        """Tokens of a window that are not the context's."""
        return len(self.before) + len(self.question) + len(self.between) + len(self.after)

    def window(self, start: int, stop: int, encoder: TextEncoder) -> Window:
        """Return the window of some of the context's tokens."""
        head = [*self.before, *self.question, *self.between]
        tokens = [*head, *self.context[start:stop], *self.after]
        question = range(len(self.before), len(self.before) + len(self.question))
        context = range(len(head), len(head) + stop - start)
        special = [place for place in range(len(tokens)) if place not in question and place not in context]
        cls_id = encoder.vocabulary.cls_token_id
        no_answer = next((place for place in special if tokens[place] == cls_id), 0)
        return Window(tokens, len(head), self.offsets[start:stop], no_answer)


def _cuts(num_tokens: int, room: int, shared: int) -> Iterator[tuple[int, int]]:
    """Yield where each window of the context begins and ends."""
    step = max(1, room - min(shared, room // 2))
    start = 0
    while start + room < num_tokens:
        yield start, start + room
        start += step
    yield start, num_tokens


def _target(window: Window, answers: Sequence[Mapping[str, Any]]) -> list[int]:
    for answer in answers:
        if places := window.places(answer["start"], answer["start"] + len(answer["text"])):
            return [*places]
    return [window.no_answer, window.no_answer]


def _random_span(context: str, rng: random.Random, lengths: Sequence[int]) -> str:
    words = [found.span() for found in _WORD.finditer(context)]
    length = min(rng.choice(lengths), len(words))
    if not length:
        return ""
    first = rng.randrange(len(words) - length + 1)
    return context[words[first][0] : words[first + length - 1][1]]
