"""Answers to what a person types: models of tasks behind the same door as those that write.

Each gives one chunk: its text is the answer, its details say how sure the model is.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from transformers import PreTrainedModel

from raylm.config.errors import BadInput
from raylm.engine.answers.classes import each, likely
from raylm.engine.answers.respondent import Respondent
from raylm.engine.answers.spans import spans
from raylm.engine.answers.tags import tags
from raylm.engine.generation.decoding import Chunk, Decoding
from raylm.engine.generation.writer import Speaker, Writer, name_of
from raylm.metrics.entities import OUTSIDE


class Speaking(Writer):
    """A model that says something of a text."""

    def __init__(self, speaker: Speaker, respondent: Respondent) -> None:
        super().__init__(speaker)
        self.respondent = respondent

    def _written(
        self, prompts: Sequence[str], decoding: Decoding, is_cancelled: Callable[[], bool]
    ) -> Iterator[Chunk]:
        for number, prompt in enumerate(prompts):
            if not prompt.strip():
                message = "is empty, and this model says something of a text"
                raise BadInput.one(name_of(number, len(prompts)), message, "give one", code="empty")
        for number, prompt in enumerate(prompts):
            yield self._answer(number, prompt, decoding)
            if is_cancelled():
                return

    @abstractmethod
    def _answer(self, number: int, prompt: str, decoding: Decoding) -> Chunk:
        """Return the answer to one prompt."""

    def _chunk(self, number: int, text: str, **details: Any) -> Chunk:
        """Return an answer; the model read its text, and wrote no token."""
        return Chunk(number, text, is_last=True, details={"reason": "end", "num_tokens": 0, **details})


class Classifying(Speaking):
    """Tells the class of a text, its classes, or its number."""

    kind: ClassVar = "classes"

    @staticmethod
    def fits(model: PreTrainedModel) -> bool:
        return "ForSequenceClassification" in type(model).__name__

    def _answer(self, number: int, prompt: str, decoding: Decoding) -> Chunk:
        task: Any = self.respondent.task
        record: dict[str, Any] = {"text": prompt, "label": self._any_label(task.answer_kind)}
        if task.pair_field:
            record["pair"] = required_passage(decoding, "the second text of the pair")
        logits = each(self.respondent, [record], np.copy).answers[0]
        if task.answer_kind == "value":
            return self._chunk(number, f"{float(logits[0]):.4g}", value=float(logits[0]))
        names, scores = self.respondent.encoder.labels, torch.from_numpy(logits)
        shares = scores.sigmoid() if task.answer_kind == "labels" else scores.softmax(-1)
        ranked = sorted(zip(names, shares.tolist(), strict=True), key=lambda it: -it[1])
        found = [{"text": name, "probability": share} for name, share in ranked[: decoding.top_predictions]]
        text = ", ".join(likely(names, logits)) if task.answer_kind == "labels" else ranked[0][0]
        return self._chunk(number, text, labels=found)

    def _any_label(self, answer_kind: str) -> Any:
        """Return a label that the task can encode: nobody looks at it when a model answers."""
        return {"label": self.respondent.encoder.labels[0], "labels": [], "value": 0.0}[answer_kind]


class Tagging(Speaking):
    """Tells the tag of each word."""

    kind: ClassVar = "tags"

    @staticmethod
    def fits(model: PreTrainedModel) -> bool:
        return "ForTokenClassification" in type(model).__name__

    def _answer(self, number: int, prompt: str, decoding: Decoding) -> Chunk:
        del decoding
        words = prompt.split()
        found = tags(self.respondent, [{"words": words}])
        tagged = [{"text": word, "tag": tag} for word, tag in zip(words, found.answers[0], strict=True)]
        text = " ".join(
            one["text"] if one["tag"] == OUTSIDE else f"{one['text']}/{one['tag']}" for one in tagged
        )
        return self._chunk(number, text, words=tagged, notes=list(found.notes))


class Reading(Speaking):
    """Looks for the answer to a question in a passage."""

    kind: ClassVar = "span"

    @staticmethod
    def fits(model: PreTrainedModel) -> bool:
        return "ForQuestionAnswering" in type(model).__name__

    def _answer(self, number: int, prompt: str, decoding: Decoding) -> Chunk:
        passage = required_passage(decoding, "the text in which the answer is looked for")
        (found,) = spans(self.respondent, [{"question": prompt, "context": passage}])
        shares = {"probability": math.exp(found.score), "no_answer": math.exp(min(0.0, found.silence))}
        return self._chunk(number, found.text, answer=found.text, **shares)


SPEAKING: tuple[type[Speaking], ...] = (Classifying, Tagging, Reading)


def required_passage(decoding: Decoding, what: str) -> str:
    """Return the passage.

    Raises:
        BadInput: there is none.
    """
    if decoding.passage and decoding.passage.strip():
        return decoding.passage
    raise BadInput.one("passage", "is empty, and this model reads two texts", f"give {what}", code="empty")
