"""Which token begins each sentence of a text, while the text's ids stay what they are without sentences.

A text is encoded whole. Tokens are then laid along it by the signs that they show, without the white space,
which some tokenizers drop or change. Where they do not add up to the text, as where a word is unknown, its
sentences are encoded one by one, if the tokenizer cuts texts before white space in any case; else the library
is asked where each token stands, which takes longest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, pairwise, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.data.trained_tokenizer import MODEL_FILE, TrainedTokenizer

# Ends and starts of sentences that a tokenizer may treat each in its own way, and what stands between.
_ENDS = ("xa", "xZ", "x7", "it.", "x!", 'x."', "x.)", "x,", "x;", "x}", "x_", "x\u65e5")
_GAPS = (" ", "  ", "\n", "\n\n", " \n", "\r\n", "\t")
_STARTS = ("The", "Zx", "7", '"', "(", "-x", "\u65e5")
_INSIDE = 0x80  # the two high bits of a byte within a character of UTF-8
_SPACES = "\t\n\x0b\x0c\r "
_NO_SPACES = str.maketrans("", "", _SPACES + "\u2581")  # which stands for a space in tokens of SentencePiece
_NO_BYTE_SPACES = str.maketrans("", "", "".join(chr(256 + ord(each)) for each in _SPACES))  # as GPT-2's show
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_UNKNOWN = 1 << 32  # more than any text has
_IS_SPACE = np.isin(np.arange(256), list(_SPACES.encode()))


class SentenceTokens(NamedTuple):
    """Texts as ids."""

    ids: NDArray[np.integer]
    """Of all texts, on end."""
    sizes: NDArray[np.int64]
    """Tokens of each text."""
    starts: NDArray[np.int64]
    """Where in `ids` each sentence begins, text by text; a sentence may hold no token."""


@lru_cache(maxsize=2)
def sentence_encoder(trained: TrainedTokenizer) -> SentenceEncoder:
    """Return the encoder of a tokenizer; looked at once in a process."""
    return SentenceEncoder(trained)


class SentenceEncoder:
    """Encodes texts and finds the first token of each of their sentences."""

    def __init__(self, trained: TrainedTokenizer) -> None:
        settings = json.loads(trained.files()[MODEL_FILE])
        self._trained = trained
        self._num_signs = _num_signs(settings, trained)
        self._cuts_before_space = _cuts_before_space(trained, settings)

    def encode(self, texts: Sequence[str], starts: Sequence[Sequence[int]]) -> SentenceTokens:
        """Return the ids of texts whose sentences begin at these characters, in ascending order."""
        arrays = self._trained.encode_batch(texts)
        ids, bounds = _joined(arrays), _bounds(list(map(len, arrays)))
        owners = np.repeat(np.arange(len(texts)), list(map(len, starts)))
        signs, shown = _Signs("".join(texts)), _bounds(np.take(self._num_signs, ids))
        firsts = _bounds(list(map(len, texts)))  # characters
        before = signs.before(firsts)
        wanted = signs.before(firsts[owners] + np.fromiter(chain.from_iterable(starts), np.int64))
        wanted -= before[owners]
        found = np.searchsorted(shown, shown[bounds[owners]] + wanted)
        found = np.where(wanted > 0, found, bounds[owners])
        for text in np.flatnonzero(np.diff(before) != np.diff(shown[bounds])).tolist():
            mine = slice(*np.searchsorted(owners, [text, text + 1]))
            found[mine] = bounds[text] + self._places(texts[text], starts[text])
        return SentenceTokens(ids, np.diff(bounds), found)

    def _places(self, text: str, starts: Sequence[int]) -> NDArray[np.int64]:
        """Return the first token of a text that begins at each of these characters or after."""
        if not self._cuts_before_space:
            tokens = [piece.start for piece in self._trained.pieces(text)]
            return np.searchsorted(tokens, starts).astype(np.int64, copy=False)
        parts = [text[start:stop] for start, stop in pairwise([0, *starts])]
        return np.cumsum(list(map(len, self._trained.encode_batch(parts))), dtype=np.int64)


class _Signs:
    """The bytes of a text that are no white space; counted by what they are not, of which there is less."""

    def __init__(self, text: str) -> None:
        raw = np.frombuffer(text.encode(), np.uint8)
        self._spaces = np.flatnonzero(_IS_SPACE[raw])
        inside = np.empty(0, np.int64) if text.isascii() else np.flatnonzero((raw & 0xC0) == _INSIDE)
        self._characters = inside - np.arange(len(inside)) - 1  # to which the bytes inside of one belong

    def before(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many stand before these characters."""
        bytes_before = places + np.searchsorted(self._characters, places)
        return bytes_before - np.searchsorted(self._spaces, bytes_before)


def _num_signs(settings: dict[str, Any], trained: TrainedTokenizer) -> NDArray[np.int64]:
    """Return by id how many bytes a token shows that are no white space."""
    counts = np.zeros(trained.vocab_size, dtype=np.int64)
    model = settings["model"]
    inside, end = (model.get(f"{name}fix") or "" for name in ("continuing_subword_pre", "end_of_word_suf"))
    shows_bytes = "ByteLevel" in json.dumps(settings["pre_tokenizer"])
    vocab = model["vocab"]
    tokens = vocab if isinstance(vocab, dict) else {token: number for number, (token, _) in enumerate(vocab)}
    for token, number in tokens.items():
        if shows_bytes:
            counts[number] = len(token.translate(_NO_BYTE_SPACES))
        elif found := _BYTE.fullmatch(token):
            counts[number] = int(not _IS_SPACE[int(found[1], 16)])
        else:
            counts[number] = len(token.removeprefix(inside).removesuffix(end).translate(_NO_SPACES).encode())
    for token in settings["added_tokens"]:
        counts[token["id"]] = len(token["content"].translate(_NO_SPACES).encode())
    if trained.unk_token_id is not None:
        counts[trained.unk_token_id] = _UNKNOWN
    return counts


def _cuts_before_space(trained: TrainedTokenizer, settings: dict[str, Any]) -> bool:
    """Whether texts are split at all, and between each kind of end and start as if each stood alone."""
    if settings["pre_tokenizer"] is None and settings["model"].get("merges") != []:
        return False
    ends, starts = list(_ENDS), [gap + start for gap, start in product(_GAPS, _STARTS)]
    whole = trained.encode_batch([end + start for end, start in product(ends, starts)])
    parts = product(trained.encode_batch(ends), trained.encode_batch(starts))
    return all(np.array_equal(ids, np.concatenate(each)) for ids, each in zip(whole, parts, strict=True))


def _joined(arrays: Sequence[NDArray[np.integer]]) -> NDArray[np.integer]:
    return np.concatenate(arrays) if len(arrays) else np.empty(0, dtype=np.int64)


def _bounds(sizes: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each part starts, then where the last one ends."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes, dtype=np.int64)])
