"""What a task is; every other file here is one task.

A task says what a row of named fields means (`record`), which ids a record becomes (`encode`), how answers to
records are judged (`judge`), and what an answer is worth that no model was needed for (`baselines`). It never
sees a model: the engine asks one for answers of the task's kind.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

from raylm.config.choice import Choice
from raylm.data.row_task import Encoded, Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from raylm.data.text_encoder import TextEncoder

__all__ = ["AnswerKind", "Encoded", "Judged", "Record", "Task"]

AnswerKind: TypeAlias = Literal["label", "labels", "value", "tags", "span", "text", "likelihood"]
"""What a model says to a record.

label: the name of a class (str). labels: names of any number of classes (list[str]). value: a number (float).
tags: the tag of each word (list[str]). span: words of the record's context (str), "" if it holds no answer.
text: what it writes (str). likelihood: {"log_probability": nats, "num_tokens": int} of the record's target.
"""


class Judged(NamedTuple):
    """Answers beside what is right: sums of rows give the metrics, so that any rows can be put together."""

    stats: NDArray[np.float64]
    """(N, K): of each row, what is added up."""
    metrics: Callable[[NDArray[np.float64]], dict[str, float]]
    """From the sum over some rows, (K,), to metrics by name; the first is the task's own."""
    quality: NDArray[np.float64]
    """(N,): how good each answer is; the lowest are shown."""


class Task(Choice):
    """What is learned from rows that have answers, and how answers are judged."""

    objectives: ClassVar[tuple[str, ...]]
    """Kinds of objective that learn it; the first one that the model's family has a head for is taken."""
    answers: ClassVar[AnswerKind]
    split_fields: ClassVar[tuple[str, ...]] = ()
    """Fields of a record that no two splits share, so that none is asked about what was learned; by default
    its texts as a whole."""
    follow_sequence_length: ClassVar[tuple[str, ...]] = ()
    """Fields that are train.sequence_length where a recipe leaves them open."""

    @classmethod
    def usual_objectives(cls, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the kinds of objective that learn the task, given this section's own values."""
        del values
        return cls.objectives

    @property
    def answer_kind(self) -> AnswerKind:
        """What a model is asked for."""
        return self.answers

    @property
    def has_labels(self) -> bool:
        """Whether records have labels out of a set that is learned from them, or given."""
        return False

    @abstractmethod
    def field_names(self) -> tuple[str, ...]:
        """Return the fields of a row that are read, `answers.text` for one inside another."""

    @abstractmethod
    def record(self, values: Mapping[str, Any]) -> Record:
        """Return the record of a row's named values: JSON values only.

        Raises:
            NoTextError: the row is not what the task needs; says what is wrong and how to mend it.
        """

    @abstractmethod
    def texts(self, record: Record) -> tuple[str, ...]:
        """Return the texts of a record as a person reads them: for filters and for tokenizers that learn."""

    def label_names(self, record: Record) -> Iterable[str]:
        """Return the labels that a record has; nothing where the task has no set of labels."""
        del record
        return ()

    def label_set(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the labels in the order of their ids, given those of the training records.

        Raises:
            BadInput: they are none that could be learned.
        """
        return tuple(sorted(set(names)))

    @abstractmethod
    def encode(self, record: Record, encoder: TextEncoder) -> list[Encoded]:
        """Return the rows of a record, for `encoder.objective`."""

    def prompt(self, record: Record) -> str:
        """Return what a model that writes is given to go on from, for tasks whose answer is a text."""
        raise NotImplementedError(f"{type(self).__name__} asks for no text")

    def written_template(self, own: str | None) -> str | None:
        """Return how conversations are written, given the tokenizer's own way; None: none takes place."""
        return own

    @abstractmethod
    def judge(self, records: Sequence[Record], answers: Sequence[Any]) -> Judged:
        """Return how good answers are, one for each record."""

    @abstractmethod
    def baselines(self, train: Iterable[Record], records: Sequence[Record]) -> Mapping[str, Sequence[Any]]:
        """Return answers that need no trained model, by what they are called, the strongest last.

        Args:
            train: records of the training split, which a baseline may learn from.
            records: what is to be answered.
        """

    def group(self, record: Record) -> str | None:
        """Return the class that a record counts to in a breakdown; None where there is none."""
        del record
        return None

    def settings(self) -> dict[str, Any]:
        """Return what decides records and ids besides the rows."""
        return self.model_dump(mode="json") | self.plugin()
