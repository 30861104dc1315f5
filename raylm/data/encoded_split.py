"""What a block gives to one split: ids, and how many of them each document and each sentence has."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.data.chunks import chunks
from raylm.data.sentence_tokens import sentence_encoder
from raylm.data.sentences import sentence_starts
from raylm.data.split import Piece
from raylm.data.tokenizers import TrainedTokenizer

_BATCH_CHARACTERS = 1 << 21  # 32 chunks; an encoding takes some 100 bytes a token until its ids are copied
LENGTH_DTYPE = np.dtype("<i8")


class Ragged(NamedTuple):
    """Rows of different lengths, on end."""

    values: NDArray[Any]
    lengths: NDArray[np.int64]


@dataclass
class EncodedSplit:
    """What a block gives to one split."""

    tokens: NDArray[np.unsignedinteger]
    """Ids, the end-of-text id after each document that ends here."""
    lengths: NDArray[np.int64]
    """Tokens of each document, its end-of-text id with it, (documents,)."""
    sentences: NDArray[np.int64]
    """Tokens of each sentence, the end-of-text id with the last one of a document; none is empty."""
    num_bytes: int
    """UTF-8 bytes of the text."""
    num_unknown: int
    """Tokens of characters that the tokenizer does not know."""
    more: dict[str, Ragged] = field(default_factory=dict)
    """Further columns, of a task's rows: `target` and `records`."""
    num_shortened: int = 0
    """Rows whose prompt lost its beginning."""
    num_unlearned: int = 0
    """Documents left out because their rows are cut off before anything that is to be learned."""
    unlearned_bytes: int = 0
    """Of their text, in UTF-8."""

    def to_arrays(self, name: str) -> dict[str, NDArray[Any]]:
        left_out = (self.num_shortened, self.num_unlearned, self.unlearned_bytes)
        counts = np.array([self.num_bytes, self.num_unknown, *left_out], dtype=LENGTH_DTYPE)
        more = {
            f"{name}_more_{column}_{part}": values
            for column, ragged in self.more.items()
            for part, values in ragged._asdict().items()
        }
        return {
            **more,
            f"{name}_tokens": self.tokens,
            f"{name}_lengths": self.lengths,
            f"{name}_sentences": self.sentences,
            f"{name}_counts": counts,
        }

    @classmethod
    def from_arrays(cls, name: str, arrays: Any) -> EncodedSplit:
        # What texts gave before rows were left out has the first two alone, and still holds.
        num_bytes, num_unknown, *left_out = arrays[f"{name}_counts"].tolist()
        tokens, lengths, sentences = (arrays[f"{name}_{part}"] for part in ("tokens", "lengths", "sentences"))
        mark = f"{name}_more_"
        columns = sorted({key[len(mark) :].rpartition("_")[0] for key in arrays if key.startswith(mark)})
        more = {
            each: Ragged(*(arrays[f"{mark}{each}_{part}"] for part in Ragged._fields)) for each in columns
        }
        return cls(tokens, lengths, sentences, num_bytes, num_unknown, more, *left_out)


class _Chunk(NamedTuple):
    place: int
    """Of its piece."""
    text: str
    starts: list[int]
    """Where sentences begin in the text, but for the start of a piece."""


class _Bare(NamedTuple):
    """Pieces without the tokens that end them."""

    tokens: NDArray[np.unsignedinteger]
    lengths: NDArray[np.int64]  # tokens of each piece
    starts: NDArray[np.int64]  # of sentences, but for the start of a piece
    owners: NDArray[np.int64]  # the piece of each of them


def encode_pieces(
    pieces: Sequence[Piece], trained: TrainedTokenizer, dtype: np.dtype[np.unsignedinteger]
) -> EncodedSplit:
    """Return the tokens of one split's documents and parts of documents."""
    bare = _bare(pieces, trained, dtype)
    is_end = np.array([piece.is_end for piece in pieces], dtype=np.int64)
    bounds = np.cumsum(bare.lengths)
    lengths = bare.lengths + is_end
    unknown = trained.unk_token_id
    return EncodedSplit(
        tokens=np.insert(bare.tokens, bounds[is_end > 0], trained.eos_token_id),
        lengths=lengths.astype(LENGTH_DTYPE),
        sentences=_sentences(bare, lengths, np.cumsum(is_end) - is_end).astype(LENGTH_DTYPE),
        num_bytes=sum(len(piece.text.encode()) for piece in pieces),
        num_unknown=0 if unknown is None else int(np.count_nonzero(bare.tokens == unknown)),
    )


def _sentences(bare: _Bare, lengths: NDArray[np.int64], ends_before: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the tokens of each sentence; `ends_before` are the end-of-text ids before each piece."""
    is_last = bare.starts == np.cumsum(bare.lengths)[bare.owners]  # one without a token, at its piece's end
    inside = (bare.starts + ends_before[bare.owners])[~is_last]
    stops = np.cumsum(lengths)
    starts = np.sort(np.concatenate([inside, stops - lengths]), kind="stable")
    sizes = np.diff(starts, append=stops[-1:])
    return sizes[sizes > 0]


def _bare(pieces: Sequence[Piece], trained: TrainedTokenizer, dtype: np.dtype[np.unsignedinteger]) -> _Bare:
    encoder = sentence_encoder(trained)
    parts = [np.empty(0, dtype)]
    lengths = np.zeros(len(pieces), np.int64)
    starts, owners = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    num_tokens = 0
    for batch in _batches(pieces):
        found = encoder.encode([chunk.text for chunk in batch], [chunk.starts for chunk in batch])
        places = np.array([chunk.place for chunk in batch])
        np.add.at(lengths, places, found.sizes)
        starts.append(num_tokens + found.starts)
        owners.append(np.repeat(places, [len(chunk.starts) for chunk in batch]))
        parts.append(found.ids.astype(dtype, copy=False))
        num_tokens += len(found.ids)
    return _Bare(np.concatenate(parts), lengths, np.concatenate(starts), np.concatenate(owners))


def _batches(pieces: Sequence[Piece]) -> Iterator[list[_Chunk]]:
    batch: list[_Chunk] = []
    size = 0
    for place, piece in enumerate(pieces):
        for chunk in _chunks(place, piece.text):
            batch.append(chunk)
            size += len(chunk.text)
            if size >= _BATCH_CHARACTERS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _chunks(place: int, text: str) -> Iterator[_Chunk]:
    starts = sentence_starts(text)
    done = first = 0
    for part in chunks(text):
        last = bisect_left(starts, done + len(part), first)
        yield _Chunk(place, part, [start - done for start in starts[first:last]] if done else starts[:last])
        done, first = done + len(part), last
