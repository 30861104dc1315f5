"""Which tokens may stand side by side in one word, told by how each looks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tokenizers

_ASCII = 0x80


def word_joints(model: tokenizers.Tokenizer) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return by id whether a token can go on a word begun before it, and whether the next can go on its own.

    Two neighbours are of one word where both hold. Special tokens are of no word.
    """
    settings = json.loads(model.to_str())
    inside = settings["model"].get("continuing_subword_prefix") or ""
    size = model.get_vocab_size()
    left, right = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
    special = {token["id"] for token in settings["added_tokens"] if token["special"]}
    for token, number in model.get_vocab().items():
        if number in special:
            continue
        if inside:
            left[number], right[number] = token.startswith(inside), True
        else:
            left[number], right[number] = _is_of_word(token[0]), _is_of_word(token[-1])
    return left, right


def _is_of_word(character: str) -> bool:
    """Whether a character stands inside words; the signs by which tokens of bytes show spaces do not."""
    return character not in "\u0120\u010a\u0109\u010d\u2581" and (
        character.isalnum() or ord(character) >= _ASCII
    )
