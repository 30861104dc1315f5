"""Blocks of text to token ids."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.data.blocks import Block, BlockRef
from raylm.data.encoded_split import EncodedSplit, encode_pieces
from raylm.data.index import FORMAT
from raylm.data.learn import trained_tokenizer
from raylm.data.split import SPLITS, Piece, Rule
from raylm.data.tokenizers import TrainedTokenizer
from raylm.data.workspace import Workspace, key_of

STEP = "tokens"
HASHES = "hashes"
_HASH_DTYPE = np.dtype("<u8")


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
        arrays |= encode_pieces(pieces, trained, token_dtype(trained)).to_arrays(name)
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


def _hashes(pieces: Iterable[Piece]) -> NDArray[np.uint64]:
    digests = b"".join(hashlib.blake2b(piece.text.encode(), digest_size=8).digest() for piece in pieces)
    return np.frombuffer(digests, _HASH_DTYPE)
