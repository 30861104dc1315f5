"""How likely records are to a model: the sum over the tokens that are to be learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from raylm.engine.answers.respondent import Answered, Ids, Respondent
from raylm.engine.step import to_device
from raylm.kernels.label_logits import label_logits
from raylm.objectives import IGNORE_INDEX
from raylm.tasks import Encoded, Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOGITS = {"cpu": 1 << 25, "cuda": 1 << 29}  # that are held at once


class _Window(NamedTuple):
    owner: int
    """The record's number."""
    row: Ids


def likelihood(respondent: Respondent, records: Sequence[Record]) -> Answered:
    """Return the log-probability of each record's learned tokens, in nats, and how many they are.

    A record that is longer than the model reads at once is read in windows, as `raylm.engine.windows` has it:
    each token counts once, and has at least half of a window before it. So the sum is of the whole record,
    and its bits a byte can be compared with those of any other model.
    """
    encoded = [row for record in records for row in respondent.task.encode(record, respondent.encoder)]
    assert len(encoded) == len(records), "a record that is judged by its likelihood is one row"
    windows = [
        _Window(number, row)
        for number, each in enumerate(encoded)
        for row in windows_of(each, respondent.frame.sequence_length)
    ]
    nats, counts = np.zeros(len(records)), np.zeros(len(records), np.int64)
    for group, found, rows in _scored(respondent, [window.row for window in windows]):
        owners = np.array([windows[number].owner for number in group])[rows]
        np.add.at(nats, owners, found)
        np.add.at(counts, owners, 1)
    answers = [
        {"log_probability": each, "num_tokens": count}
        for each, count in zip(nats.tolist(), counts.tolist(), strict=True)
    ]
    # A row of as many tokens and one more is read at once: nothing follows its last one.
    return Answered(
        answers, respondent.cut_note([len(each.tokens) - 1 for each in encoded], "read in windows")
    )


def windows_of(encoded: Encoded, length: int) -> list[Ids]:
    """Return rows of which a model reads `length` tokens at most, and that ask for each token once."""
    tokens, is_learned = np.array(encoded.tokens, np.int64), np.array(encoded.target, np.int32)
    found, done, stop = [], 0, min(len(tokens), length + 1)
    while True:
        start = max(0, stop - length - 1)
        is_new = np.arange(start, stop) >= done
        found.append(Ids((tokens[start:stop], is_learned[start:stop] * is_new)))
        if stop == len(tokens):
            return found
        done, stop = stop, min(len(tokens), stop + max(1, length // 2))


@torch.inference_mode()
def _scored(
    respondent: Respondent, rows: Sequence[Ids]
) -> list[tuple[list[int], NDArray[np.float64], NDArray[np.int64]]]:
    """Return of each batch its rows' numbers, the log-probability of each label, and the label's row."""
    model, objective = respondent.model.eval(), respondent.objective
    logits = _LOGITS.get(model.device.type, _LOGITS["cuda"])
    most = min(respondent.most_tokens, logits // respondent.frame.vocabulary.size)
    lengths, found = [len(row.arrays[0]) - 1 for row in rows], []
    for group in respondent.groups(lengths, most):
        # A batch is as wide as its longest row, not as the rows of training.
        frame = respondent.frame._replace(sequence_length=max(1, *(lengths[number] for number in group)))
        batch = to_device(objective.make_batch([rows[number] for number in group], frame), model.device)
        is_label = batch["labels"] != IGNORE_INDEX
        logits = label_logits(model, objective.inputs(model, batch), is_label).float()
        chosen = logits.gather(1, batch["labels"][is_label].unsqueeze(1)).squeeze(1)
        nats = (chosen - logits.logsumexp(1)).double().cpu().numpy()
        found.append((group, nats, is_label.nonzero()[:, 0].cpu().numpy()))
    return found
