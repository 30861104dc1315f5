"""Pieces of text to token ids, in batches that fill the cores and bound the memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.data.split import Piece
from raylm.data.tokenizers import TrainedTokenizer

CHUNK_CHARACTERS = 1 << 16
_BATCH_CHARACTERS = 1 << 21  # 32 chunks; an encoding takes some 100 bytes a token until its ids are copied
_SEARCH_CHARACTERS = 1 << 10
# No tokenizer of ours joins a word to the space after it, so that a cut there changes no token.
_LAST_WORD_END = re.compile(r".*\S(?=[ \n])", re.DOTALL)


class Encoded(NamedTuple):
    """The ids of a chunk of a piece."""

    piece: Piece
    text: str
    ids: NDArray[np.int64]
    is_end: bool
    """Whether the document ends here."""


def chunks(text: str) -> Iterator[str]:
    """Cut a long text at ends of words; where there are none, anywhere."""
    start = 0
    while len(text) - start > CHUNK_CHARACTERS:
        stop = start + CHUNK_CHARACTERS
        window = text[stop - _SEARCH_CHARACTERS : stop]
        if found := _LAST_WORD_END.match(window):
            stop -= _SEARCH_CHARACTERS - found.end()
        yield text[start:stop]
        start = stop
    yield text[start:]


def encode(pieces: Iterable[Piece], tokenizer: TrainedTokenizer) -> Iterator[Encoded]:
    """Yield the ids of every chunk of every piece, in order."""
    for batch in _batches(pieces):
        arrays = tokenizer.encode_batch([text for _, text, _ in batch])
        for (piece, text, is_end), ids in zip(batch, arrays, strict=True):
            yield Encoded(piece, text, ids, is_end)


def _batches(pieces: Iterable[Piece]) -> Iterator[list[tuple[Piece, str, bool]]]:
    batch: list[tuple[Piece, str, bool]] = []
    size = 0
    for piece in pieces:
        done = 0
        for text in chunks(piece.text):
            done += len(text)
            batch.append((piece, text, piece.is_end and done == len(piece.text)))
            size += len(text)
            if size >= _BATCH_CHARACTERS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch
