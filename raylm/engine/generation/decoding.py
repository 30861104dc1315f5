"""How tokens are chosen, and what comes of it; without torch, so that forms and commands know the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import ValidationError

from raylm.config.errors import BadInput
from raylm.config.report import Origin, problems_of
from raylm.config.sections import Section, knob


class Decoding(Section):
    """How the next token is chosen."""

    max_new_tokens: int = knob(200, unit="tokens", ge=1, le=100_000)
    """Tokens to add."""
    temperature: float = knob(0.8, ge=0, le=10)
    """Higher is bolder; 0 takes the likeliest token."""
    top_k: int | None = knob(None, unit="tokens", ge=1, le=10**9)
    """Draw from the k likeliest tokens."""  # Fan et al. 2018
    top_p: float | None = knob(None, ge=1e-6, le=1)
    """Draw from the likeliest tokens that sum to this share."""  # Holtzman et al. 2020
    num_beams: int = knob(1, unit="texts", ge=1, le=64)
    """Above 1: search for the likeliest text, keeping so many at a time; nothing is drawn."""
    seed: int | None = knob(None, ge=0, lt=2**63)
    """Repeats a text; the prompts after the first count on from it."""
    top_predictions: int = knob(5, unit="candidates", ge=1, le=1000)
    """Candidates shown for each mask, or classes of a text."""
    passage: str | None = None
    """The text in which the answer to a question is looked for, or the second text of a pair."""

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """Return the fields of raw values, such as a form's.

        Raises:
            BadInput: one problem for each field that is not right.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise BadInput(*problems_of(error, cls, Origin(values, {}))) from None


@dataclass(frozen=True)
class Chunk:
    """A piece of the text of one prompt."""

    prompt: int
    """The prompt's number, from 0."""
    text: str
    """What is new; never ends inside a character, and is empty while one is incomplete."""
    is_last: bool = False
    """Whether the prompt is done."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Of the last one: why it ended, and what the writer knows besides, such as candidates and scores."""
