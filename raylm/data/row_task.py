"""What a preparation asks of a task: which record a row is, and which ids a record becomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, TypeAlias

from raylm.config.errors import BadInput

if TYPE_CHECKING:
    from raylm.data.text_encoder import TextEncoder

Record: TypeAlias = dict[str, Any]
"""A row in its task's own words: JSON values only."""


class Encoded(NamedTuple):
    """A record, or a window of one, as ids."""

    tokens: Sequence[int]
    """What the model reads, special tokens included."""
    target: Sequence[int] | Sequence[float]
    """What it is to learn; what the numbers mean, the task's objective says."""
    num_left_out: int = 0
    """Tokens left out in front of what is to be learned, which would not fit into a row with them."""


class RowTask(Protocol):
    """A task, as far as a preparation must know it; see `raylm.tasks`."""

    split_fields: ClassVar[tuple[str, ...]]
    """The fields of a record that no two splits share; nothing: its texts as a whole."""

    @property
    def has_labels(self) -> bool:
        """Whether records have labels out of a set that is learned from them, or given."""
        ...

    def field_names(self) -> tuple[str, ...]:
        """Return the fields of a row that are read."""
        ...

    def record(self, values: Mapping[str, Any]) -> Record:
        """Return the record of a row's named values.

        Raises:
            NoTextError: the row is not what the task needs; says what is wrong and how to mend it.
        """
        ...

    def texts(self, record: Record) -> tuple[str, ...]:
        """Return the texts of a record as a person reads them: for filters and for tokenizers that learn."""
        ...

    def label_names(self, record: Record) -> Iterable[str]:
        """Return the labels that a record has; nothing where the task has no set of labels."""
        ...

    def encode(self, record: Record, encoder: TextEncoder) -> list[Encoded]:
        """Return the rows of a record, one or several."""
        ...

    def label_set(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the labels in the order of their ids, given those of the training records.

        Raises:
            BadInput: they are none that could be learned.
        """
        ...

    def settings(self) -> dict[str, Any]:
        """Return what decides records and ids besides the rows."""
        ...


def reading_settings(task: RowTask) -> dict[str, Any]:
    """Return what decides the documents that rows become, besides the rows."""
    fields = {"split_fields": [*task.split_fields]} if task.split_fields else {}
    return {**task.settings(), **fields}


class Lesson(NamedTuple):
    """A task and the objective that is to learn it."""

    task: RowTask
    objective: str
    """Its kind."""
    target_dtype: Literal["int32", "float32", "uint8"] = "int32"
    """What targets are: ids, numbers, or marks of what is to be learned."""
    row_length: int | None = None
    """Tokens of a row that is cut off behind them, answers or not; None: rows of any length are read."""

    def settings(self) -> dict[str, Any]:
        """Return what decides the ids besides rows and tokenizer."""
        length = {} if self.row_length is None else {"row_length": self.row_length}
        return {**reading_settings(self.task), "objective": self.objective, **length}


def refuse_one_label(names: set[str]) -> None:
    """Refuse training rows that all have the same label.

    Raises:
        BadInput: names it.
    """
    if len(names) == 1:
        message = f"every training row has the label {min(names)!r}, so there is nothing to tell apart"
        mend = "give rows of other classes too, and check the field of the label"
        raise BadInput.one("task", message, mend, code="single-class")
