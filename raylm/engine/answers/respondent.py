"""Who answers: a model, and what it needs to read the records of a task batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from raylm.engine.step import to_device
from raylm.objectives import Batch, Frame, Objective
from raylm.tasks import Record, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from transformers import PreTrainedModel

    from raylm.data.text_encoder import TextEncoder

_TOKENS = {"cpu": 4096, "cuda": 65536}  # of one forward pass, padding included: CPU caches are small


def _quiet(_share: float) -> None:
    """Tell nobody how far it is."""


class Answered(NamedTuple):
    """What a model said."""

    answers: list[Any]
    """One for each record, of the task's kind of answer."""
    notes: tuple[str, ...] = ()
    """What of the records it did not read."""


@dataclass(frozen=True)
class Ids:
    """A row of a task, as objectives read it."""

    arrays: tuple[NDArray[Any], ...]
    """What the model reads, and its target."""
    index: int = 0
    number: int = 0

    @classmethod
    def of(cls, tokens: Sequence[int], target: Sequence[float], dtype: str = "int32") -> Ids:
        """Return the row of a record's ids."""
        return cls((np.array(tokens, np.int64), np.array(target, dtype)))

    def rng(self, seed: int) -> np.random.Generator:
        """Return the row's generator: nothing is drawn when a model answers, so any one does."""
        return np.random.default_rng(seed)

    def fixed_rng(self, seed: int) -> np.random.Generator:
        """Return the row's generator."""
        return self.rng(seed)


@dataclass(frozen=True)
class Respondent:
    """A model that answers the records of a task."""

    model: PreTrainedModel
    encoder: TextEncoder
    objective: Objective
    """That it learned, or one that reads the task's rows as well."""
    frame: Frame
    task: Task
    may_abstain: bool = False
    """Whether no answer is one, as some of the rows it learned from have none; for answers that are spans."""
    report: Callable[[float], None] = _quiet
    """Called with the share of the work that is done."""
    tokens_per_batch: int | None = None
    """Tokens of one forward pass, padding included; by default what suits the device."""

    @property
    def most_tokens(self) -> int:
        """Tokens of one forward pass, padding included."""
        return self.tokens_per_batch or _TOKENS.get(self.model.device.type, _TOKENS["cuda"])

    def rows(self, records: Sequence[Record]) -> list[Ids]:
        """Return what the task makes of records that are one row each."""
        encoded = [self.task.encode(record, self.encoder) for record in records]
        assert all(len(rows) == 1 for rows in encoded), "only spans are looked for in several rows"
        return [Ids.of(row.tokens, row.target, self.objective.target_dtype) for (row,) in encoded]

    def groups(self, lengths: Sequence[int], most_tokens: int | None = None) -> Iterator[list[int]]:
        """Yield the numbers of rows of like length, about a batch of them; the longest come first."""
        most = self.most_tokens if most_tokens is None else most_tokens
        order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
        done = 0
        while done < len(order):
            size = max(1, most // max(1, lengths[order[done]]))
            group = order[done : done + size]
            yield group
            done += len(group)
            self.report(done / len(order))

    @torch.inference_mode()
    def outputs(self, rows: Sequence[Ids]) -> Iterator[tuple[list[int], Batch, Any]]:
        """Yield, batch by batch, the numbers of its rows, the batch, and what the model makes of it."""
        self.model.eval()
        lengths = [min(len(row.arrays[0]), self.frame.sequence_length) for row in rows]
        for group in self.groups(lengths):
            batch = self.objective.make_batch([rows[number] for number in group], self.frame)
            batch = to_device(batch, self.model.device)
            yield group, batch, self.model(**self.objective.inputs(self.model, batch))

    def cut_note(
        self, lengths: Sequence[int], left: str = "only their beginning was read"
    ) -> tuple[str, ...]:
        """Return what to say of rows that are longer than the model reads at once; nothing if none is."""
        most = self.frame.sequence_length
        count = sum(length > most for length in lengths)
        of = f"{count:,} of {len(lengths):,} records are longer than train.sequence_length ({most})"
        return (f"{of}: {left}",) if count else ()
