"""Answers of a model to the records of a task; every kind of answer is read from it in a way of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from raylm.engine.answers.classes import label, labels, value
from raylm.engine.answers.likelihood import likelihood
from raylm.engine.answers.respondent import Answered, Respondent
from raylm.engine.answers.spans import span
from raylm.engine.answers.tags import tags
from raylm.engine.answers.texts import text
from raylm.tasks import AnswerKind, Record

__all__ = ["Answered", "Respondent", "answers"]

_Ask: TypeAlias = Callable[[Respondent, Sequence[Record]], Answered]
_ASK: Mapping[AnswerKind, _Ask] = {
    "label": label,
    "labels": labels,
    "value": value,
    "tags": tags,
    "span": span,
    "text": text,
    "likelihood": likelihood,
}


def answers(respondent: Respondent, records: Sequence[Record]) -> Answered:
    """Return what a model says to records of its task, one answer each; the same whatever their company."""
    return _ASK[respondent.task.answer_kind](respondent, records)
