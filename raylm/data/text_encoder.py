"""A tokenizer as a task uses it: texts with what belongs around them, words, places, labels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from raylm.config.errors import BadInput
from raylm.config.vocabulary import Vocabulary
from raylm.data.trained_tokenizer import TrainedTokenizer

if TYPE_CHECKING:
    from tokenizers import Encoding


class TextEncoder:
    """Encodes the texts of records for one objective; the names of special tokens in them are only text."""

    def __init__(
        self,
        tokenizer: TrainedTokenizer,
        objective: str,
        labels: Sequence[str] = (),
        row_length: int | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.objective = objective
        """The kind of the objective that the rows are for, such as "seq2seq"."""
        self.labels = tuple(labels)
        """The names of the labels, in the order of their ids."""
        self.row_length = row_length
        """Tokens of a row, behind which a longer one is cut off; None: a record is read whole."""

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The ids with a meaning."""
        return self.tokenizer.vocabulary()

    @property
    def eos_token_id(self) -> int:
        """The id that ends a text."""
        return self.tokenizer.eos_token_id

    @cached_property
    def _label_ids(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.labels)}

    def label_id(self, name: str) -> int:
        """Return the number of a label.

        Raises:
            BadInput: the model has no such label.
        """
        if name not in self._label_ids:
            listed = ", ".join(self.labels[:10]) + (", ..." if len(self.labels) > 10 else "")  # noqa: PLR2004 - a line's worth
            message = f"label {name}: the model has {len(self.labels)} classes ({listed})"
            raise BadInput.one("task.labels", message, "correct the row, or list the label", code="label")
        return self._label_ids[name]

    def plain(self, text: str) -> Encoding:
        """Return a text's ids, `ids`, and where each stands in it, `offsets`; nothing is added."""
        return self.tokenizer.encoding(text)

    def whole(self, text: str, pair: str | None = None) -> Encoding:
        """Return a text, or two, as a model's input with the special tokens around them.

        Of its parts `ids`, `offsets` (in the text or in the pair), `sequence_ids` (0: the text, 1: the pair,
        None: special) and `special_tokens_mask` say which is which.
        """
        return self.tokenizer.encoding(text, pair, is_whole=True)
