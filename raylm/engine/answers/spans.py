"""Answers that are words of a context: the likeliest first and last token over all windows of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from raylm.engine.answers.respondent import Answered, Ids, Respondent
from raylm.tasks import Record
from raylm.tasks.question_answering import QuestionAnswering

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST = 30  # tokens of an answer: max_answer_length in the program of Devlin et al. 2019


class Span(NamedTuple):
    """The likeliest words of a context."""

    score: float
    """Log-probability of their first token being the first, and their last the last, of its window."""
    text: str
    silence: float
    """The same of no answer, by the window that is least sure of holding none."""


class _Words(NamedTuple):
    """A candidate, and how likely it is."""

    score: float
    text: str


def span(respondent: Respondent, records: Sequence[Record]) -> Answered:
    """Return the likeliest words of each context.

    Where the model may abstain, the answer is "" if the window that is least sure of holding none finds that
    likelier than any words: the null score of Devlin et al. 2019, section 4.3, with a threshold of 0.
    """
    found = spans(respondent, records)
    return Answered(
        ["" if respondent.may_abstain and each.silence > each.score else each.text for each in found]
    )


def spans(respondent: Respondent, records: Sequence[Record]) -> list[Span]:
    """Return the likeliest words of each context, and how likely they are."""
    windows = [
        (number, window)
        for number, record in enumerate(records)
        for window in _fitting(respondent).windows(record, respondent.encoder)
    ]
    # Both places are asked for as a span would be: a batch says where they stand in it.
    rows = [Ids.of(window.tokens, [window.first, window.no_answer]) for _, window in windows]
    best = [_Words(-math.inf, "")] * len(records)
    none = [math.inf] * len(records)
    for group, batch, output in respondent.outputs(rows):
        is_padding = batch["attention_mask"] == 0
        ends = (_log_probabilities(each, is_padding) for each in (output.start_logits, output.end_logits))
        for row, place, first, last in zip(group, batch["labels"].tolist(), *ends, strict=True):
            number, window = windows[row]
            text = slice(place[0], place[0] + len(window.offsets))
            score, start, stop = likeliest(first[text], last[text])
            words = window.span(window.first + start, window.first + stop, records[number]["context"])
            best[number] = max(best[number], _Words(score, words), key=lambda each: each.score)
            none[number] = min(none[number], float(first[place[1]] + last[place[1]]))
    return [Span(each.score, each.text, silence) for each, silence in zip(best, none, strict=True)]


def likeliest(
    first: NDArray[np.float32], last: NDArray[np.float32], longest: int = _LONGEST
) -> tuple[float, int, int]:
    """Return the highest sum of two places' numbers, and the places: the second not before the first.

    Args:
        first: of each place, how likely the answer begins there; logarithms.
        last: of each place, how likely it ends there.
        longest: places that the answer has at most.
    """
    found = (-math.inf, 0, 0)
    for length in range(min(longest, len(first))):
        sums = first[: len(first) - length] + last[length:]
        start = int(sums.argmax())
        found = max(found, (float(sums[start]), start, start + length), key=lambda each: each[0])
    return found


def _fitting(respondent: Respondent) -> QuestionAnswering:
    """Return the task with windows that the model can read."""
    task, room = respondent.task, respondent.frame.sequence_length
    assert isinstance(task, QuestionAnswering), "spans are looked for by question"
    return task.model_copy(update={"window": min(task.window or room, room)})


def _log_probabilities(logits: torch.Tensor, is_padding: torch.Tensor) -> NDArray[np.float32]:
    masked = logits.float().masked_fill(is_padding, -torch.inf)
    return masked.log_softmax(-1).cpu().numpy()
