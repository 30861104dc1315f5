"""Chat: conversations of which the assistant's turns are learned; judged by how likely those are.

A conversation becomes text by a template in Jinja, the way transformers does it. Special tokens are those
that the template writes: their names, where a message holds them, are only text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

from pydantic import field_validator

from raylm.config.errors import BadInput
from raylm.config.sections import knob
from raylm.data.records import NoTextError, type_name
from raylm.data.text_to_text import checked, value_of
from raylm.data.trained_tokenizer import ROLES
from raylm.metrics.likelihood import (
    CharacterBigrams,
    likelihood_metrics,
    likelihood_quality,
    likelihood_stats,
)
from raylm.tasks import AnswerKind, Encoded, Judged, Record, Task

if TYPE_CHECKING:
    import jinja2

    from raylm.data.text_encoder import TextEncoder

Message: TypeAlias = Mapping[str, str]
"""A turn: its role (system, user or assistant) and its content."""

PLAIN_TEMPLATE = """\
{% for message in messages %}
<|{{ message.role }}|>
{{ message.content }}{{ eos_token if message.role == 'assistant' else '' }}
{% endfor %}
{% if add_generation_prompt %}
<|assistant|>
{% endif %}
"""
"""What is used where neither the recipe nor the tokenizer has one."""

_ROLES = {"system": "system", "user": "user", "assistant": "assistant", "human": "user", "gpt": "assistant"}
_HELD = "\ue000{}\ue001"  # stands for a message's content while the template is filled in; for private use
_HOLDER = re.compile("\ue000([0-9]+)\ue001")
_MEND = "correct the row, or leave it out"
# Marks for transformers' own way to find the assistant's text, of which none is needed here.
_GENERATION = re.compile(r"(\{%[-+]?\s*)(end)?generation(\s*[-+]?%\})")


class Part(NamedTuple):
    """A piece of a conversation as ids."""

    ids: list[int]
    is_learned: bool


class Chat(Task):
    """Conversations in which user and assistant take turns, a system's message in front or none."""

    kind: Literal["chat"] = "chat"
    messages_field: str = "messages"
    """The field of the list of messages, each {role, content} or {from, value}; the roles are system, user or
    human, assistant or gpt."""
    chat_template: str | None = knob(None, advanced=True)
    """How a conversation is written, in Jinja; unset: the tokenizer's own way, or a plain one."""

    objectives: ClassVar[tuple[str, ...]] = ("supervised",)
    answers: ClassVar[AnswerKind] = "likelihood"

    @field_validator("chat_template")
    @classmethod
    def _is_template(cls, template: str | None) -> str | None:
        from jinja2 import TemplateSyntaxError

        try:
            _ = template is None or _compiled(template)
        except TemplateSyntaxError as error:
            raise ValueError(f"line {error.lineno} is no Jinja: {error.message}") from None
        return template

    def field_names(self) -> tuple[str, ...]:
        return (self.messages_field,)

    def record(self, values: Mapping[str, Any]) -> Record:
        value, name = value_of(values, self.messages_field), self.messages_field
        if not isinstance(value, list):
            message = f"{name}: want a list of messages, got {type_name(value)}"
            raise NoTextError(message, code="type", name=name)
        messages = [_message(each, f"{name}: message {number}") for number, each in enumerate(value, start=1)]
        _check_order(messages, name)
        last = max(number for number, each in enumerate(messages) if each["role"] == "assistant")
        return {"messages": messages[: last + 1]}  # what follows teaches nothing

    def texts(self, record: Record) -> tuple[str, ...]:
        return tuple(message["content"] for message in record["messages"])

    def encode(self, record: Record, encoder: TextEncoder) -> list[Encoded]:
        parts = self.render(record["messages"], encoder)
        while parts and not parts[-1].is_learned:  # such as the line end after the last turn
            parts.pop()
        tokens = [number for part in parts for number in part.ids]
        return [Encoded(tokens, [int(part.is_learned) for part in parts for _ in part.ids])]

    def prompt_ids(self, messages: Sequence[Message], encoder: TextEncoder) -> list[int]:
        """Return what a model goes on from to write the assistant's next turn."""
        parts = self.render(messages, encoder, add_generation_prompt=True)
        return [number for part in parts for number in part.ids]

    def render(
        self, messages: Sequence[Message], encoder: TextEncoder, *, add_generation_prompt: bool = False
    ) -> list[Part]:
        """Return the pieces of a conversation; the assistant's turns, with what ends them, are learned.

        Args:
            messages: the turns.
            encoder: whose special tokens the template may use.
            add_generation_prompt: whether the head of the assistant's next turn follows.

        Raises:
            BadInput: the template cannot be filled in, or does not show where the assistant's turns are.
        """
        form = _form(self._template(encoder), encoder)
        roles = tuple(message["role"] for message in messages)
        text = _outline(form, roles, is_prompt=add_generation_prompt)
        contents = _contents(form, messages, text, is_prompt=add_generation_prompt)
        spans = () if add_generation_prompt else _learned_spans(form, roles)
        cuts = sorted({0, len(text), *(place for span in spans for place in span)})
        return [
            Part(_ids(text[start:stop], contents, form, encoder), (start, stop) in spans)
            for start, stop in pairwise(cuts)
        ]

    def _template(self, encoder: TextEncoder) -> str:
        own = encoder.tokenizer.config.get("chat_template")
        if isinstance(own, list):  # several, each with a name
            own = {each["name"]: each["template"] for each in own}.get("default")
        return self.written_template(own)

    def written_template(self, own: str | None) -> str:
        return self.chat_template or own or PLAIN_TEMPLATE

    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        stats = likelihood_stats(answers, ["".join(_learned_texts(record)) for record in records])
        return Judged(stats, likelihood_metrics, likelihood_quality(stats))

    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        bigrams = CharacterBigrams(text for record in train for text in _learned_texts(record))
        return {"character bigrams": [bigrams.answer(*_learned_texts(record)) for record in records]}


def _message(value: object, place: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise NoTextError(f"{place}: want an object, got {type_name(value)}", _MEND, "type")
    role, content = value.get("role", value.get("from")), value.get("content", value.get("value"))
    if not isinstance(role, str) or role not in _ROLES:
        mend = "roles are system, user (human) and assistant (gpt)"
        raise NoTextError(f"{place}: unknown role {str(role)[:80]!r}", mend, "role")
    return {"role": _ROLES[role], "content": checked(content, place)}


def _check_order(messages: Sequence[Message], name: str) -> None:
    roles = [message["role"] for message in messages]
    if "assistant" not in roles:
        raise NoTextError(f"{name}: no message is the assistant's: nothing to learn", _MEND, "turns", name)
    for number, (before, role) in enumerate(pairwise(["", *roles]), start=1):
        if role == "system" and number > 1:
            message = f"{name}: message {number} is the system's, which can only be the first"
            raise NoTextError(message, _MEND, "turns", name)
        if role == before:
            message = f"{name}: message {number} is the {role}'s again; user and assistant take turns"
            raise NoTextError(message, "join the two, or leave the row out", "turns", name)


def _learned_texts(record: Record) -> list[str]:
    return [message["content"] for message in record["messages"] if message["role"] == "assistant"]


class _Form(NamedTuple):
    """A template and the special tokens that it may write."""

    template: str
    special: tuple[tuple[str, int], ...]
    """Names and ids, longer names first."""
    variables: tuple[tuple[str, str], ...]
    """What the template calls some of them, such as eos_token, and their names."""

    @property
    def pattern(self) -> str:
        """Finds the names of special tokens."""
        return "|".join(re.escape(name) for name, _ in self.special)


@lru_cache(maxsize=4)
def _form(template: str, encoder: TextEncoder) -> _Form:
    vocabulary, decode = encoder.vocabulary, encoder.tokenizer.decode
    names = [(decode([number]), number) for number in vocabulary.special_ids]
    numbers = {role: vocabulary.role(role) for role in ROLES}
    variables = tuple((role, decode([number])) for role, number in numbers.items() if number is not None)
    return _Form(template, tuple(sorted(names, key=lambda named: -len(named[0]))), variables)


@lru_cache(maxsize=16)
def _compiled(template: str) -> jinja2.Template:
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    def to_json(value: object, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent)

    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    made.filters["tojson"] = to_json
    # No strftime_now as in transformers: the same rows are to give the same ids on any day.
    made.globals["raise_exception"] = refuse
    return made.from_string(_GENERATION.sub(_without_effect, template))


def _without_effect(mark: re.Match[str]) -> str:
    return f"{mark[1]}{'endif' if mark[2] else 'if true'}{mark[3]}"


def _filled(form: _Form, messages: Sequence[Message], *, is_prompt: bool) -> str:
    from jinja2 import TemplateError

    variables = {**dict(form.variables), "messages": messages, "add_generation_prompt": is_prompt}
    try:
        return _compiled(form.template).render(variables)
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        mend = "correct the template, or leave out rows that it is not made for"
        raise _bad(f"it cannot be filled in: {error}", mend) from None


@lru_cache(maxsize=256)
def _outline(form: _Form, roles: tuple[str, ...], *, is_prompt: bool) -> str:
    """Return the text of a conversation with numbers held where the contents stand."""
    messages = [{"role": role, "content": _HELD.format(number)} for number, role in enumerate(roles)]
    return _filled(form, messages, is_prompt=is_prompt)


def _contents(form: _Form, messages: Sequence[Message], outline: str, *, is_prompt: bool) -> list[str]:
    """Return the contents as the template writes them: as they are, or without white space around them."""
    text = _filled(form, messages, is_prompt=is_prompt)
    given = [message["content"] for message in messages]
    for contents in (given, [content.strip() for content in given]):
        if _HOLDER.sub(lambda held, each=contents: each[int(held[1])], outline) == text:
            return contents
    raise _bad("it changes the text of a message", "give one that writes contents as they are")


@lru_cache(maxsize=256)
def _learned_spans(form: _Form, roles: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Return where in the outline the assistant's turns stand, the tokens that end them included."""
    text = _outline(form, roles, is_prompt=False)
    return tuple(
        _span(form, text, number, _outline(form, roles[:number], is_prompt=True))
        for number, role in enumerate(roles)
        if role == "assistant"
    )


def _span(form: _Form, text: str, number: int, head: str) -> tuple[int, int]:
    # A turn is learned from where it would be generated: what the messages before it give, with the head of
    # the assistant's turn, has to be how the text with the turn begins.
    held = _HOLDER.search(text, len(head))
    if not text.startswith(head) or held is None or held[1] != str(number):
        message = f"it does not show where the assistant's turn begins (message {number + 1})"
        raise _bad(message, "let add_generation_prompt write just what stands before the assistant's content")
    end = re.compile(rf"\s*(?:{form.pattern})").match(text, held.end())
    if end is None:
        mend = "write {{ eos_token }} after the assistant's content"
        raise _bad("no special token of the tokenizer's ends the assistant's turns", mend)
    return len(head), end.end()


def _ids(text: str, contents: Sequence[str], form: _Form, encoder: TextEncoder) -> list[int]:
    special, ids = dict(form.special), []
    for part in filter(None, re.split(f"(\ue000[0-9]+\ue001|{form.pattern})", text)):
        held = _HOLDER.fullmatch(part)
        plain = contents[int(held[1])] if held else part
        ids += [special[part]] if part in special else encoder.plain(plain).ids
    return ids


def _bad(message: str, mend: str) -> BadInput:
    return BadInput.one("task.chat_template", message, mend, code="chat_template")
