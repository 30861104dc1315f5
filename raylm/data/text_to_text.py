"""What the tasks share that write a text after a text: the prompt, the answer, and their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator

from raylm.config.sections import Section, knob
from raylm.data.records import NoTextError, look_up, parse_template, type_name
from raylm.data.row_task import Encoded, Record

if TYPE_CHECKING:
    from raylm.data.text_encoder import TextEncoder


class TextToText(Section):
    """The part of a task whose answer is a text; its records have a source, and a target or several."""

    prompt_template: str = knob("{source}", group="Prompt")
    """What the model is given: a text with {source} in it; {{ and }} stand for braces."""
    answer_start: str = knob("\n", group="Prompt", advanced=True)
    """What parts prompt and answer where one text holds both; it is part of the prompt."""
    max_answer_tokens: int = knob(64, unit="tokens", ge=1, le=10**6)
    """The longest answer that is written."""

    split_fields: ClassVar[tuple[str, ...]] = ("source",)

    @field_validator("prompt_template")
    @classmethod
    def _has_source(cls, template: str) -> str:
        names = {part.name for part in parse_template(template) if part.name}
        if names != {"source"}:
            raise ValueError(f"it names {', '.join(sorted(names))}; write {{source}} where the source stands")
        return template

    def prompt(self, record: Record) -> str:
        """Return what an encoder is given."""
        return self.prompt_template.format(source=record["source"])

    def decoder_prompt(self, record: Record) -> str:
        """Return what a decoder goes on from."""
        return self.prompt(record) + self.answer_start

    def texts(self, record: Record) -> tuple[str, ...]:
        """Return the source and its targets."""
        return (record["source"], *targets(record))

    def encode(self, record: Record, encoder: TextEncoder) -> list[Encoded]:
        """Return the one row of a record; of several targets the first is learned."""
        target = targets(record)[0]
        if encoder.objective == "seq2seq":
            return [Encoded(encoder.whole(self.prompt(record)).ids, encoder.whole(target).ids)]
        return [continued(self.decoder_prompt(record), target, encoder)]


class SourceToTarget(TextToText):
    """The part of such a task whose rows have one field for the source and one for the target."""

    source_field: str = "source"
    """The field of what is given, `article.body` for one inside another."""
    target_field: str = "target"
    """The field of what is to be written: a text, or a list of texts of which each is right."""

    def field_names(self) -> tuple[str, ...]:
        """Return the fields of a row that are read."""
        return (self.source_field, self.target_field)

    def record(self, values: Mapping[str, Any]) -> Record:
        """Return a row's source and target."""
        return {"source": text_of(values, self.source_field), **target_of(values, self.target_field)}


def targets(record: Record) -> Sequence[str]:
    """Return every text that is a right answer to a record; the first is the one to learn."""
    return record.get("targets") or (record["target"],)


def continued(before: str, text: str, encoder: TextEncoder) -> Encoded:
    """Return a text that goes on from another; only the text and its end are learned.

    Where nothing stands before it, the token that ends texts does: so the first token is predicted as well.
    Of a text before it that is too long for a row the end is given, as to a model that answers.
    """
    whole = encoder.plain(before).ids or [encoder.eos_token_id]
    learned = [*encoder.plain(text).ids, encoder.eos_token_id]
    room = len(whole) if encoder.row_length is None else prompt_room(encoder.row_length, len(learned))
    given = whole[-room:]
    marks = [0] * len(given) + [1] * len(learned)
    return Encoded([*given, *learned], marks, num_left_out=len(whole) - len(given))


def prompt_room(length: int, num_wanted: int) -> int:
    """Return how many tokens of a prompt are given where `length` are read and an answer has `num_wanted`.

    At least half of them are the prompt's; the answer's last token is not read.
    """
    return max(length // 2, length + 1 - num_wanted, 1)


def value_of(values: Mapping[str, Any], name: str) -> Any:
    """Return the value of a field, or of one inside another.

    Raises:
        NoTextError: there is none.
    """
    return values[name] if name in values else look_up(values, name, was_seen=False)


def text_of(values: Mapping[str, Any], name: str) -> str:
    """Return the text of a field.

    Raises:
        NoTextError: there is none, or nothing but white space.
    """
    value = value_of(values, name)
    if isinstance(value, list):
        raise NoTextError(f"{name}: want text, got list", f"name one item, such as {name}.0", "type", name)
    return checked(value, name)


def target_of(values: Mapping[str, Any], name: str) -> Record:
    """Return the part of a record that is to be written, from a text or a list of texts.

    Raises:
        NoTextError: there is none.
    """
    value = value_of(values, name)
    if not isinstance(value, list):
        return {"target": checked(value, name)}
    if not value:
        raise NoTextError(f"{name} is an empty list", "give a text, or leave the row out", "empty", name)
    found = [checked(each, f"{name}.{number}") for number, each in enumerate(value)]
    return {"target": found[0], **({"targets": found} if len(found) > 1 else {})}


def checked(value: object, name: str) -> str:
    """Return a value that is a text with something in it.

    Raises:
        NoTextError: it is not.
    """
    if value is None:
        raise NoTextError(f"{name} is null", "give a text, or leave the row out", "null", name)
    if not isinstance(value, str):
        raise NoTextError(f"{name}: want text, got {type_name(value)}", code="type", name=name)
    if not value.strip():
        raise NoTextError(f"{name} is empty", "give a text, or leave the row out", "empty", name)
    return value
