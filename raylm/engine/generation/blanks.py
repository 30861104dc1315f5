"""Prompts with places to fill in: the space before one belongs to the word that is missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from transformers import PreTrainedTokenizerBase

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def without_space_before(place: re.Pattern[str], prompt: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """Return a prompt without the white space before each place, unless the tokenizer cuts it off by itself.

    Byte-level tokenizers count a space to the word after it, and a model has been trained on such words'
    being away; a space that is left over would tell it that no word begins there.
    """
    if cuts_spaces_off(tokenizer):
        return prompt
    return re.sub(rf"\s+(?={place.pattern})", "", prompt)


def cuts_spaces_off(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a space is a token of its own, as with characters."""
    backend = cast("Tokenizer", tokenizer.backend_tokenizer)
    pre_tokenizer = backend.pre_tokenizer
    if pre_tokenizer is None:
        return True
    return any(span == (1, 2) for _, span in pre_tokenizer.pre_tokenize_str("a b"))
