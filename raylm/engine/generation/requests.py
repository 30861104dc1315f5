"""What may be asked of `raylm generate --stdio`, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from raylm.config.errors import Problem
from raylm.config.near import did_you_mean
from raylm.config.report import Origin, problems_of
from raylm.config.sections import Section, knob
from raylm.engine.generation.decoding import Decoding
from raylm.engine.generation.inbox import MAX_LINE

_LONGEST_ID = 200  # characters


class GenerateRequest(Decoding):
    """Write to a prompt or to several; beside them stand the fields of `Decoding`."""

    type: Literal["generate"]
    id: str = knob(min_length=1, max_length=_LONGEST_ID)
    """Comes back with every answer."""
    prompt: str | None = None
    """One prompt."""
    prompts: tuple[str, ...] | None = knob(None, validate_default=True)
    """Or several, which are written to together."""

    @field_validator("prompts")
    @classmethod
    def _one_of_two(cls, prompts: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if "prompt" in info.data and (info.data["prompt"] is None) == (not prompts):
            raise PydanticCustomError("limits", "give prompt or prompts, one of the two")
        return prompts

    def texts(self) -> tuple[str, ...]:
        """Return the prompts."""
        return self.prompts or (self.prompt or "",)


class CancelRequest(Section):
    """Write no more to a request; one that is not there is done already."""

    type: Literal["cancel"]
    id: str = knob(min_length=1, max_length=_LONGEST_ID)
    """The request's."""


class QuitRequest(Section):
    """End, whatever is being written."""

    type: Literal["quit"]


Request = GenerateRequest | CancelRequest | QuitRequest
_KINDS: Mapping[str, type[Request]] = {
    "generate": GenerateRequest,
    "cancel": CancelRequest,
    "quit": QuitRequest,
}


class Refused(Exception):  # noqa: N818 - as BadInput
    """A line that is no request; `id` is the one it gives, if any."""

    def __init__(self, problem: Problem, id_: str | None = None) -> None:
        super().__init__(problem)
        self.problem, self.id = problem, id_


def parse(line: bytes | None) -> Request:
    """Return the request on a line; None is a line that was too long to take.

    Raises:
        Refused: the line is no request.
    """
    if line is None:
        raise Refused(Problem("", f"a line has more than {MAX_LINE:,} bytes", "send shorter prompts"))
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        raise Refused(Problem("", "a line is not JSON", "send one JSON object a line")) from None
    if not isinstance(values, dict):
        raise Refused(Problem("", f"a line is {_name_of(values)}", "send one JSON object a line"))
    id_ = values.get("id")
    return _validated(values, id_ if isinstance(id_, str) and len(id_) <= _LONGEST_ID else None)


def _validated(values: dict[str, Any], id_: str | None) -> Request:
    name = values.get("type")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        mend = did_you_mean(str(name), _KINDS) or f"give one of {', '.join(_KINDS)}"
        raise Refused(Problem("type", "is no request", mend), id_)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problem = problems_of(error, kind, Origin(values, {}))[0]
        raise Refused(problem, id_) from None


def _name_of(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
