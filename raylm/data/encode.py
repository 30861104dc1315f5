"""Blocks of text to token ids."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.data.blocks import Block, BlockRef
from raylm.data.chunks import chunks
from raylm.data.index import FORMAT
from raylm.data.learn import trained_tokenizer
from raylm.data.split import SPLITS, Piece, Rule
from raylm.data.tokenizers import TrainedTokenizer
from raylm.data.workspace import Workspace, key_of

STEP = "tokens"
HASHES = "hashes"
_BATCH_CHARACTERS = 1 << 21  # 32 chunks; an encoding takes some 100 bytes a token until its ids are copied
_HASH_DTYPE = np.dtype("<u8")
_LENGTH_DTYPE = np.dtype("<i8")


class Encoding(NamedTuple):
    """A block, how it is divided, and the tokenizer."""

    workspace: str
    block: BlockRef
    rule: Rule
    tokenizer: str
    """Its key in the workspace."""

    @property
    def key(self) -> str:
        return key_of("tokens", FORMAT, self.block.key, self.rule, self.tokenizer)

    @property
    def name(self) -> str:
        return f"{self.key}.npz"


@dataclass
class EncodedSplit:
    """What a block gives to one split."""

    tokens: NDArray[np.unsignedinteger]
    """Ids, the end-of-text id after each document that ends here."""
    lengths: NDArray[np.int64]
    """Tokens of each document, its end-of-text id with it, (documents,)."""
    num_bytes: int
    """UTF-8 bytes of the text."""
    num_unknown: int
    """Tokens of characters that the tokenizer does not know."""

    def to_arrays(self, name: str) -> dict[str, NDArray[Any]]:
        counts = np.array([self.num_bytes, self.num_unknown], dtype=_LENGTH_DTYPE)
        return {
            f"{name}_tokens": self.tokens,
            f"{name}_lengths": self.lengths,
            f"{name}_counts": counts,
        }

    @classmethod
    def from_arrays(cls, name: str, arrays: Any) -> EncodedSplit:
        num_bytes, num_unknown = arrays[f"{name}_counts"].tolist()
        return cls(arrays[f"{name}_tokens"], arrays[f"{name}_lengths"], num_bytes, num_unknown)


def token_dtype(trained: TrainedTokenizer) -> np.dtype[np.unsignedinteger]:
    """Return the smallest type that holds every id, little-endian on every machine."""
    return np.dtype("<u2" if trained.vocab_size <= np.iinfo(np.uint16).max + 1 else "<u4")


def encode(task: Encoding) -> None:
    """Write the ids of a block's documents, split by split."""
    workspace = Workspace(task.workspace)
    trained = trained_tokenizer(task.workspace, task.tokenizer)
    texts = Block.from_bytes(workspace.read(task.block.step, task.block.name)).texts
    sides: dict[str, list[Piece]] = {name: [] for name in SPLITS}
    for piece in task.rule.pieces(texts):
        sides[piece.split].append(piece)
    arrays: dict[str, NDArray[Any]] = {}
    for name, pieces in sides.items():
        arrays |= _encoded(pieces, trained).to_arrays(name)
    # Apart from the tokens: only a comparison of the splits reads them.
    hashes = {name: _hashes(pieces) for name, pieces in sides.items()}
    workspace.write(HASHES, task.name, _npz(hashes))
    workspace.write(STEP, task.name, _npz(arrays))


def _npz(arrays: dict[str, NDArray[Any]]) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)  # pyright: ignore[reportArgumentType] - no array is named like an option
    return out.getvalue()


def encoded_before(tasks: Sequence[Encoding], workspace: Workspace) -> set[str]:
    """Return the keys of those tasks whose results are there."""
    keys = workspace.keys(STEP, ".npz") & workspace.keys(HASHES, ".npz")
    there = [task for task in tasks if task.key in keys]
    return {
        task.key
        for task in there
        if workspace.refresh(STEP, [task.name]) and workspace.refresh(HASHES, [task.name])
    }


def read_encoded(task: Encoding, workspace: Workspace) -> dict[str, EncodedSplit]:
    """Return what `encode` wrote, by split."""
    with np.load(io.BytesIO(workspace.read(STEP, task.name))) as arrays:
        return {name: EncodedSplit.from_arrays(name, arrays) for name in SPLITS}


def num_overlap(encodings: Sequence[Encoding], workspace: Workspace) -> int:
    """Return how many validation documents stand word for word in the training split, by their hashes."""

    def hashes(split: str) -> Iterator[NDArray[np.uint64]]:
        for task in encodings:
            with np.load(io.BytesIO(workspace.read(HASHES, task.name))) as arrays:
                yield arrays[split]

    validation = np.concatenate([np.empty(0, _HASH_DTYPE), *hashes("validation")])
    distinct = np.unique(validation)
    common = [distinct[np.isin(distinct, each)] for each in hashes("train")] if distinct.size else []
    return int(np.isin(validation, np.concatenate([np.empty(0, _HASH_DTYPE), *common])).sum())


def _encoded(pieces: list[Piece], trained: TrainedTokenizer) -> EncodedSplit:
    dtype = token_dtype(trained)
    eos = np.array([trained.eos_token_id], dtype)
    parts = [np.empty(0, dtype)]
    lengths = np.zeros(len(pieces), _LENGTH_DTYPE)
    num_unknown = 0
    unknown = trained.unk_token_id
    for place, ids, is_last in _ids(pieces, trained):
        num_unknown += 0 if unknown is None else int(np.count_nonzero(ids == unknown))
        parts.append(ids.astype(dtype, copy=False))
        if is_last and pieces[place].is_end:
            parts.append(eos)
            lengths[place] += 1
        lengths[place] += len(ids)
    num_bytes = sum(len(piece.text.encode()) for piece in pieces)
    return EncodedSplit(np.concatenate(parts), lengths, num_bytes, num_unknown)


def _ids(pieces: list[Piece], trained: TrainedTokenizer) -> Iterator[tuple[int, NDArray[np.integer], bool]]:
    """Yield the ids of each chunk of each piece: the piece's place, the ids, whether it is the last chunk."""
    for batch in _batches(pieces):
        arrays = trained.encode_batch([text for _, text, _ in batch])
        for (place, _, is_last), ids in zip(batch, arrays, strict=True):
            yield place, ids, is_last


def _batches(pieces: list[Piece]) -> Iterator[list[tuple[int, str, bool]]]:
    batch: list[tuple[int, str, bool]] = []
    size = 0
    for place, piece in enumerate(pieces):
        done = 0
        for text in chunks(piece.text):
            done += len(text)
            batch.append((place, text, done == len(piece.text)))
            size += len(text)
            if size >= _BATCH_CHARACTERS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _hashes(pieces: Iterable[Piece]) -> NDArray[np.uint64]:
    digests = b"".join(hashlib.blake2b(piece.text.encode(), digest_size=8).digest() for piece in pieces)
    return np.frombuffer(digests, _HASH_DTYPE)
