"""How probable a model finds texts: the rows that its objective makes of them, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from transformers import PreTrainedModel

from raylm.config.errors import BadInput
from raylm.engine.step import to_device
from raylm.engine.windows import windows
from raylm.evaluations import Score
from raylm.kernels.label_logits import label_logits
from raylm.objectives import IGNORE_INDEX, Batch, Frame, Objective, Request

# Tokens, padding included, and logits of one forward pass: CPU caches are small.
_TOKENS = {"cpu": 4096, "cuda": 65536}
_LOGITS = {"cpu": 1 << 25, "cuda": 1 << 29}

Report = Callable[[float], None]


def quiet(_share: float) -> None:
    """Tell nobody how far it is."""


class _Found(NamedTuple):
    """What a forward pass says of each label (N,)."""

    log_probabilities: np.ndarray
    is_best: np.ndarray
    rows: np.ndarray
    """The row of the batch that the label stands in."""


class _Sums:
    """Scores in the making, of each request."""

    def __init__(self, count: int) -> None:
        self._nats = np.zeros(count)
        self._tokens = np.zeros(count, np.int64)
        self._misses = np.zeros(count, np.int64)

    def add(self, found: _Found, owners: np.ndarray) -> None:
        """Take what was found; `owners` are the requests of the batch's rows."""
        of = owners[found.rows]
        np.add.at(self._nats, of, found.log_probabilities)
        np.add.at(self._tokens, of, 1)
        np.add.at(self._misses, of, ~found.is_best)

    def scores(self) -> list[Score]:
        parts = zip(self._nats.tolist(), self._tokens.tolist(), self._misses.tolist(), strict=True)
        return [Score(nats, tokens, not misses) for nats, tokens, misses in parts]


@dataclass(frozen=True)
class Scorer:
    """Scores texts with a model, as the objective that it was trained with says how.

    Memory does not grow with the texts: long ones are read in windows, and the rows of a window, one for each
    of its tokens where the model sees both sides, go through the model in batches of bounded size.
    """

    model: PreTrainedModel
    objective: Objective
    frame: Frame
    tokens_per_batch: int | None = None
    """Tokens of one forward pass, padding included; by default what suits the device."""

    @cached_property
    def room(self) -> int:
        """Tokens that fit into a window beside those that the objective adds: as many as it takes of more."""
        ids = np.zeros(self.frame.sequence_length + 1, np.int64)
        scoring = self.objective.scoring([Request(ids[:0], ids)], self.frame)
        return int((scoring.batch["labels"] != IGNORE_INDEX).sum())

    def stride(self, wanted: int | None) -> int:
        """Return the new tokens of each further window: half of one unless told, all where both sides count.

        Raises:
            BadInput: more are wanted than fit.
        """
        if wanted is None:
            return max(1, self.room // 2) if self.objective.scores_in_order else self.room
        if wanted > self.room:
            raise BadInput.one(
                "stride", f"{wanted} tokens do not fit into a window of {self.room}", code="stride"
            )
        return wanted

    def scores(
        self, requests: Sequence[Request], stride: int | None = None, report: Report = quiet
    ) -> list[Score]:
        """Return the score of each text given its context, whatever their lengths.

        Args:
            requests: texts of any length; of a context that is too long the end is read.
            stride: new tokens in each further window of a long text; see `stride`.
            report: called with the share of the work that is done.
        """
        step, pieces, owners = self.stride(stride), [], []
        for number, request in enumerate(requests):
            cut = windows(request, self.room, step)
            pieces += cut
            owners += [number] * len(cut)
        sums, of_piece = _Sums(len(requests)), np.array(owners, np.int64)
        total, done = sum(map(self._work, pieces)), 0
        self.model.eval()
        for group in self._groups(pieces):
            scoring = self.objective.scoring([pieces[number] for number in group], self.frame)
            of_row = of_piece[np.array(group)[np.array(scoring.owners)]] if scoring.owners else of_piece[:0]
            for rows in self._slices(scoring.batch):
                sums.add(
                    self._found({name: each[rows] for name, each in scoring.batch.items()}), of_row[rows]
                )
            done += sum(self._work(pieces[number]) for number in group)
            report(done / max(1, total))
        return sums.scores()

    def _work(self, piece: Request) -> int:
        """Return the tokens that the model reads for a piece."""
        length = len(piece.context) + len(piece.text)
        return length if self.objective.scores_in_order else length * len(piece.text)

    def _groups(self, pieces: Sequence[Request]) -> Iterator[list[int]]:
        """Yield the numbers of pieces of like length, about a batch of them; the longest come first."""
        lengths = [len(piece.context) + len(piece.text) for piece in pieces]
        group: list[int] = []
        work = 0
        for number in sorted(range(len(pieces)), key=lambda each: -lengths[each]):
            if group and work + self._work(pieces[number]) > self._most_tokens:
                yield group
                group, work = [], 0
            group.append(number)
            work += self._work(pieces[number])
        if group:
            yield group

    @property
    def _most_tokens(self) -> int:
        return self.tokens_per_batch or _TOKENS.get(self.model.device.type, _TOKENS["cuda"])

    def _slices(self, batch: Batch) -> list[slice]:
        """Return slices of the rows, each of which the model takes at once."""
        num_rows, width = batch["input_ids"].shape
        most_labels = int((batch["labels"] != IGNORE_INDEX).sum(1).max()) if num_rows else 1
        logits = _LOGITS.get(self.model.device.type, _LOGITS["cuda"])
        by_logits = logits // max(1, most_labels * self.frame.vocabulary.size)
        size = max(1, min(self._most_tokens // width, by_logits))
        return [slice(start, start + size) for start in range(0, num_rows, size)]

    @torch.inference_mode()
    def _found(self, batch: Batch) -> _Found:
        batch = to_device(batch, self.model.device)
        is_label = batch["labels"] != IGNORE_INDEX
        logits = label_logits(self.model, self.objective.inputs(self.model, batch), is_label).float()
        targets = batch["labels"][is_label]
        chosen = logits.gather(1, targets.unsqueeze(1)).squeeze(1)
        return _Found(
            (chosen - logits.logsumexp(1)).double().cpu().numpy(),
            (logits.argmax(1) == targets).cpu().numpy(),
            is_label.nonzero()[:, 0].cpu().numpy(),
        )
