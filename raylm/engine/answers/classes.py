"""Answers about a whole text: its class, its classes, or its number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from raylm.engine.answers.respondent import Answered, Respondent
from raylm.tasks import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def label(respondent: Respondent, records: Sequence[Record]) -> Answered:
    """Return the name of the likeliest class of each record."""
    names = respondent.encoder.labels
    return each(respondent, records, lambda logits: names[int(logits.argmax())])


def labels(respondent: Respondent, records: Sequence[Record]) -> Answered:
    """Return the names of the classes that are likelier than not of each record."""
    names = respondent.encoder.labels
    return each(respondent, records, lambda logits: likely(names, logits))


def likely(names: Sequence[str], logits: NDArray[np.float32]) -> list[str]:
    """Return the names of the classes that are likelier than not, in the order of the classes."""
    return [names[int(place)] for place in np.flatnonzero(logits > 0)]


def value(respondent: Respondent, records: Sequence[Record]) -> Answered:
    """Return the number that the model gives each record."""
    return each(respondent, records, lambda logits: float(logits[0]))


def each(
    respondent: Respondent, records: Sequence[Record], read: Callable[[NDArray[np.float32]], Any]
) -> Answered:
    """Return what is read from the logits of each record, (L,): one for each class."""
    rows = respondent.rows(records)
    found: list[Any] = [None] * len(rows)
    for group, _, output in respondent.outputs(rows):
        for number, logits in zip(group, output.logits.float().cpu().numpy(), strict=True):
            found[number] = read(logits)
    return Answered(found, respondent.cut_note([len(row.arrays[0]) for row in rows]))
