"""The text of tokens as they come: what is shown never ends inside a character."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import cast

from transformers import PreTrainedTokenizerBase

_REPLACEMENT = "\ufffd"  # at the end it is half a character: the next token may complete it
_LOOK_BACK = 4  # tokens of a prompt that decide whether the text goes on its last word


class Written:
    """What one prompt has been given so far."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, hidden: AbstractSet[int], before: Sequence[int] = ()
    ) -> None:
        """Begin behind the tokens `before`; those that are `hidden` are no text."""
        self.tokens: list[int] = []
        self.text = ""
        self._tokenizer = tokenizer
        self._hidden = hidden
        self._visible = [token for token in before if token not in hidden][-_LOOK_BACK:]
        # Tokens are decoded behind the piece before them, which is all that a decoder looks back to.
        self._start, self._end = 0, len(self._visible)

    def add(self, token: int) -> str:
        """Take the next token and return what it adds: nothing while a character is incomplete."""
        self.tokens.append(token)
        if token in self._hidden:
            return ""
        self._visible.append(token)
        shown = self._decoded(self._start, self._end)
        text = self._decoded(self._start, len(self._visible))
        piece = text[len(shown) :]
        if not piece or text.endswith(_REPLACEMENT):
            return ""
        self._start, self._end = self._end, len(self._visible)
        self.text += piece
        return piece

    def _decoded(self, start: int, stop: int) -> str:
        return cast("str", self._tokenizer.decode(self._visible[start:stop], skip_special_tokens=False))


def special_ids(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Return the ids that stand for no text."""
    added = tokenizer.added_tokens_decoder
    return frozenset(tokenizer.all_special_ids) | {id_ for id_, token in added.items() if token.special}
