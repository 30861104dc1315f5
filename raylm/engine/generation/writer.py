"""What a way of writing is: which models it is for, and what it makes of prompts."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, NamedTuple, TypeAlias

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from raylm.config.errors import BadInput
from raylm.engine.generation.decoding import Chunk, Decoding
from raylm.engine.restore import Restored

Source: TypeAlias = Restored | tuple[PreTrainedModel, PreTrainedTokenizerBase]


class Speaker(NamedTuple):
    """A model, its tokenizer, and how far it looks."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    context: int | None
    """Tokens that it can read at once, or was trained to; None where neither is known."""

    @classmethod
    def of(cls, source: Source) -> Speaker:
        """Return what a checkpoint, or a model and its tokenizer, has."""
        model, tokenizer = source[0].eval(), source[1]
        plan = source.checkpoint.facts.get("data_plan", {}) if isinstance(source, Restored) else {}
        return cls(model, tokenizer, _positions(model) or plan.get("sequence_length"))

    def pad_id(self) -> int:
        """Return the id that fills rows up; any does where there is none, as nobody looks at it."""
        found = self.tokenizer.pad_token_id
        return found if isinstance(found, int) else 0

    def takes(self, name: str) -> bool:
        """Whether the model has an input of this name."""
        return name in inspect.signature(self.model.forward).parameters


class Writer(ABC):
    """One way of writing."""

    kind: ClassVar[str]
    continues: ClassVar[bool] = False
    """Whether a text goes on from its prompt; otherwise it stands for itself."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.model, self.tokenizer = speaker.model, speaker.tokenizer

    @staticmethod
    @abstractmethod
    def fits(model: PreTrainedModel) -> bool:
        """Whether this is how the model writes; the table asks from the particular to the general."""

    def write(
        self, prompts: Sequence[str], decoding: Decoding, is_cancelled: Callable[[], bool]
    ) -> Iterator[Chunk]:
        """Yield what comes of the prompts, the last chunk of each marked.

        Raises:
            BadInput: this model cannot do that with these prompts.
        """
        for number, prompt in enumerate(prompts):
            if not _is_text(prompt):
                message = "holds half a surrogate pair, which no text has"
                raise BadInput.one(name_of(number, len(prompts)), message, "give UTF-8", code="text")
        yield from self._written(prompts, decoding, is_cancelled)

    @abstractmethod
    def _written(
        self, prompts: Sequence[str], decoding: Decoding, is_cancelled: Callable[[], bool]
    ) -> Iterator[Chunk]:
        """Yield what `write` does."""


def refuse_length(prompts: Sequence[Sequence[int]], limit: int | None) -> None:
    """Raise for the first prompt of more tokens than the model reads."""
    for number, ids in enumerate(prompts):
        if limit is not None and len(ids) > limit:
            message = f"has {len(ids):,} tokens, of which the model reads {limit:,} at most"
            raise BadInput.one(name_of(number, len(prompts)), message, "shorten it", code="long")


def name_of(number: int, num_prompts: int) -> str:
    """Return how an error calls a prompt."""
    return f"prompts.{number}" if num_prompts > 1 else "prompt"


def _is_text(prompt: str) -> bool:
    try:
        prompt.encode()
    except UnicodeEncodeError:
        return False
    return True


def _positions(model: PreTrainedModel) -> int | None:
    """Return the tokens that a model has positions for; None where they are relative."""
    number = getattr(model.config, "max_position_embeddings", None)
    if number is None or number < 1:  # XLNet's says -1
        return None
    embeddings = getattr(model.base_model, "embeddings", None)
    # RoBERTa's kind counts from behind the padding's id.
    padding = getattr(getattr(embeddings, "position_embeddings", None), "padding_idx", None)
    return number if padding is None else number - padding - 1
