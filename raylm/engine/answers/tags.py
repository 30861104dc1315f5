"""Answers about words: the tag of each, told at its first token."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from raylm.engine.answers.respondent import Answered, Ids, Respondent
from raylm.metrics.entities import OUTSIDE, mended
from raylm.objectives import IGNORE_INDEX
from raylm.tasks import Record
from raylm.tasks.token_classification import first_tokens


def tags(respondent: Respondent, records: Sequence[Record]) -> Answered:
    """Return the likeliest tag of each word of records of `words`; O for a word that was not read.

    A tag I-x that goes on with nothing becomes B-x, by `raylm.metrics.entities.mended`: rows and baselines
    are read that way too, so that all are judged as strict IOB2.
    """
    rows = [_row(respondent, record["words"]) for record in records]
    found = [np.full(len(record["words"]), -1) for record in records]
    for group, batch, output in respondent.outputs(rows):
        words, said = batch["labels"].cpu().numpy(), output.logits.argmax(-1).cpu().numpy()
        for place, number in enumerate(group):
            is_first = words[place] != IGNORE_INDEX
            found[number][words[place][is_first]] = said[place][is_first]
    names = respondent.encoder.labels
    answers = [mended([OUTSIDE if tag < 0 else names[tag] for tag in each]) for each in found]
    note = respondent.cut_note([len(row.arrays[0]) for row in rows], "words of the rest count as O")
    return Answered(answers, note)


def _row(respondent: Respondent, words: Sequence[str]) -> Ids:
    """Return a row whose targets are the numbers of the words, so that a batch tells where each is."""
    encoding = respondent.encoder.whole(" ".join(words))
    numbers = np.full(len(encoding.ids), IGNORE_INDEX)
    for number, place in enumerate(first_tokens(words, encoding)):
        if place is not None:
            numbers[place] = number
    return Ids.of(encoding.ids, numbers.tolist())
