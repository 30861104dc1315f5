"""What models and objectives must know of a tokenizer: its size and the ids with a meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Vocabulary:
    """The ids of a tokenizer; a role that it does not have is None."""

    size: int
    eos_token_id: int | None = None
    """Follows each document; of BERT's kind it is the separator."""
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    mask_token_id: int | None = None
    cls_token_id: int | None = None
    sep_token_id: int | None = None
    unk_token_id: int | None = None
    sentinel_ids: tuple[int, ...] = ()
    """Stand for spans that are left out, first one first (T5)."""
    special_ids: tuple[int, ...] = ()
    """Every id that stands for no text."""
    joins_left: NDArray[np.bool_] | None = field(default=None, compare=False, repr=False)
    """By id (V,): whether the token can go on a word that the token before it began."""
    joins_right: NDArray[np.bool_] | None = field(default=None, compare=False, repr=False)
    """By id (V,): whether the token after it can go on its word."""

    @cached_property
    def is_special(self) -> NDArray[np.bool_]:
        """By id (V,): whether it stands for no text."""
        import numpy as np

        found = np.zeros(self.size, dtype=np.bool_)
        found[list(self.special_ids)] = True
        return found

    @cached_property
    def text_ids(self) -> NDArray[np.int64]:
        """Every id that stands for text, ascending."""
        import numpy as np

        return np.flatnonzero(~self.is_special)

    def role(self, name: str) -> int | None:
        """Return the id of a role by its name in a tokenizer's configuration, such as "mask_token"."""
        return getattr(self, f"{name}_id")

    def id_of(self, name: str) -> int:
        """Return the id of a role that an objective needs, and so has been found to be there."""
        number = self.role(name)
        assert number is not None, f"no {name}: Objective.problems says so before a batch is made"
        return number
