"""Ids of words that were met before: looking a word up takes a fraction of encoding it again.

Only for tokenizers that split text by GPT-2's pattern (Radford et al. 2019) before anything else: there a
token never reaches from a word into the space after it, nor into a full stop, so that a text's ids are
those of its parts.
"""

from __future__ import annotations

import json
import os
import re
from array import array
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tokenizers

_MOST_WORDS = 1 << 18  # some 40 MB, and as many older ones
# A plain word before white space or punctuation; else all up to the next white space; white space at the end.
# Beyond Latin a word keeps its punctuation, for Unicode's versions differ on which signs are letters.
_PARTS = re.compile(
    r"\s*+[0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]++(?=[\s.,;:!?]|\Z)|\s*+\S++|\s++"
)
_PLAIN = re.compile(" [A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+")  # one part to the pattern too
_SPACE = "\u0120"  # as tokens of bytes show it
_JOINED = 1024  # words
_ODD_SPACE = re.compile("[\x1c-\x1f]")  # white space to Python, to GPT-2's pattern none
_SPLITS = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}


def is_sole_thread() -> bool:
    """Whether the tokenizers library works on one core here, where it gains nothing from a batch."""
    is_off = os.environ.get("TOKENIZERS_PARALLELISM", "").lower() in ("false", "off", "no", "0")
    return is_off or os.environ.get("RAYON_NUM_THREADS") == "1" or os.cpu_count() == 1


def splits_words(model: tokenizers.Tokenizer) -> bool:
    """Whether a model encodes each part of a text by itself, so that a `WordCache` gives the same ids."""
    settings = json.loads(model.to_str())
    splits = settings["pre_tokenizer"] or {}
    return (
        settings["normalizer"] is None
        and {name: splits.get(name) for name in _SPLITS} == _SPLITS
        and not settings["model"].get("dropout")
        and settings["truncation"] is settings["padding"] is None
        # The names of special ones are only text; another added token may reach over several words.
        and all(token["special"] for token in settings["added_tokens"])
        and model.encode_special_tokens
    )


class WordCache:
    """Encodes texts word by word; words that were not met for long are forgotten."""

    def __init__(self, model: tokenizers.Tokenizer) -> None:
        self._model = model
        self._code = "H" if model.get_vocab_size() <= np.iinfo(np.uint16).max + 1 else "I"
        self._begins_with_space = np.zeros(model.get_vocab_size(), np.bool_)
        self._begins_with_space[[i for token, i in model.get_vocab().items() if token[0] == _SPACE]] = True
        self._ids: dict[str, bytes] = {}
        self._older: dict[str, bytes] = {}

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.unsignedinteger]]:
        """Return the ids of each text."""
        parts = [[text] if _ODD_SPACE.search(text) else _PARTS.findall(text) for text in texts]
        self._meet(set(chain.from_iterable(parts)))
        ids_of = self._ids.__getitem__
        return [np.frombuffer(b"".join(map(ids_of, words)), self._code) for words in parts]

    def _meet(self, words: set[str]) -> None:
        """See that the ids of all these words are known."""
        new = words.difference(self._ids)
        if len(self._ids) + len(new) > _MOST_WORDS:
            self._ids, self._older, new = {}, self._ids, words
        known = new.intersection(self._older)
        self._ids.update({word: self._older[word] for word in known})
        self._learn(new - known)

    def _learn(self, new: set[str]) -> None:
        plain = [word for word in new if _PLAIN.fullmatch(word)]
        others = list(new.difference(plain))
        for start in range(0, len(plain), _JOINED):
            words = plain[start : start + _JOINED]
            if not self._learn_joined(words):
                others += words
        encodings = self._model.encode_batch_fast(others, add_special_tokens=False)
        self._ids.update(
            (word, array(self._code, encoding.ids).tobytes())
            for word, encoding in zip(others, encodings, strict=True)
        )

    def _learn_joined(self, words: Sequence[str]) -> bool:
        """Encode plain words as one text, as each call has its price; return whether they came apart."""
        [encoding] = self._model.encode_batch_fast(["".join(words)], add_special_tokens=False)
        ids = np.array(encoding.ids, self._code)
        starts = np.flatnonzero(self._begins_with_space[ids]) * ids.itemsize
        if len(starts) != len(words):  # a word has a space at its start only; that one may be unknown
            return False
        data = ids.tobytes()
        spans = map(slice, starts.tolist(), [*starts[1:].tolist(), len(data)])
        self._ids.update(zip(words, map(data.__getitem__, spans), strict=True))
        return True
