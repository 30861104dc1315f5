"""Text generation: texts as they are, or what follows a prompt; judged by how likely they are to a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from raylm.data.text_to_text import continued, text_of
from raylm.metrics.likelihood import (
    CharacterBigrams,
    likelihood_metrics,
    likelihood_quality,
    likelihood_stats,
)
from raylm.tasks import AnswerKind, Encoded, Judged, Record, Task

if TYPE_CHECKING:
    from raylm.data.text_encoder import TextEncoder


class TextGeneration(Task):
    """A model that writes texts like those it was shown."""

    kind: Literal["text_generation"] = "text_generation"
    text_field: str = "text"
    """The field of the text that is learned, `answers.text` for one inside another."""
    prompt_field: str | None = None
    """The field of a text before it that is read and not learned; unset: there is none."""

    objectives: ClassVar[tuple[str, ...]] = ("supervised",)
    answers: ClassVar[AnswerKind] = "likelihood"

    def field_names(self) -> tuple[str, ...]:
        return (self.text_field,) if self.prompt_field is None else (self.prompt_field, self.text_field)

    def record(self, values: Mapping[str, Any]) -> Record:
        text = {"text": text_of(values, self.text_field)}
        return text if self.prompt_field is None else {"prompt": text_of(values, self.prompt_field), **text}

    def texts(self, record: Record) -> tuple[str, ...]:
        return (*([record["prompt"]] if "prompt" in record else []), record["text"])

    def prompt(self, record: Record) -> str:
        """Return what stands before the text, "" where nothing does."""
        return record.get("prompt", "")

    def encode(self, record: Record, encoder: TextEncoder) -> list[Encoded]:
        return [continued(self.prompt(record), record["text"], encoder)]

    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        stats = likelihood_stats(answers, [record["text"] for record in records])
        return Judged(stats, likelihood_metrics, likelihood_quality(stats))

    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        bigrams = CharacterBigrams(record["text"] for record in train)
        return {"character bigrams": [bigrams.answer(record["text"]) for record in records]}
