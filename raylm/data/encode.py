"""Blocks of text to token ids."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.data.blocks import Block, BlockRef
from raylm.data.documents import Document
from raylm.data.encoded_records import TARGET_DTYPES, encode_records
from raylm.data.encoded_split import EncodedSplit, encode_pieces
from raylm.data.index import FORMAT
from raylm.data.learn import trained_tokenizer
from raylm.data.row_task import Lesson
from raylm.data.split import SPLITS, Piece, Rule
from raylm.data.text_encoder import TextEncoder
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
    lesson: Lesson | None = None
    labels: tuple[str, ...] = ()
    """Of the task, in the order of their ids."""

    @property
    def key(self) -> str:
        of_task = None if self.lesson is None else [self.lesson.settings(), self.labels]
        return key_of("tokens", FORMAT, self.block.key, self.rule, self.tokenizer, of_task)

    @property
    def name(self) -> str:
        return f"{self.key}.npz"


def token_dtype(trained: TrainedTokenizer) -> np.dtype[np.unsignedinteger]:
    """Return the smallest type that holds every id, little-endian on every machine."""
    return np.dtype("<u2" if trained.vocab_size <= np.iinfo(np.uint16).max + 1 else "<u4")


class _Part(NamedTuple):
    """What a block gives to a split."""

    split: str
    texts: Sequence[str]
    encoded: EncodedSplit


def encode(task: Encoding) -> None:
    """Write the ids of a block's documents, split by split."""
    workspace = Workspace(task.workspace)
    trained = trained_tokenizer(task.workspace, task.tokenizer)
    block = Block.from_bytes(workspace.read(task.block.step, task.block.name))
    parts = _texts(task, block, trained) if task.lesson is None else _rows(task, task.lesson, block, trained)
    hashes: dict[str, NDArray[np.uint64]] = {}
    arrays: dict[str, NDArray[Any]] = {}
    for name, texts, encoded in parts:
        arrays |= encoded.to_arrays(name)
        hashes[name] = _hashes(texts)
    # Apart from the tokens: only a comparison of the splits reads them.
    workspace.write(HASHES, task.name, _npz(hashes))
    workspace.write(STEP, task.name, _npz(arrays))


def _texts(task: Encoding, block: Block, trained: TrainedTokenizer) -> Iterator[_Part]:
    sides: dict[str, list[Piece]] = {name: [] for name in SPLITS}
    for piece in task.rule.pieces(block.texts):
        sides[piece.split].append(piece)
    for name, pieces in sides.items():
        encoded = encode_pieces(pieces, trained, token_dtype(trained))
        yield _Part(name, [piece.text for piece in pieces], encoded)


def _rows(task: Encoding, lesson: Lesson, block: Block, trained: TrainedTokenizer) -> Iterator[_Part]:
    encoder = TextEncoder(trained, lesson.objective, task.labels, lesson.row_length)
    dtypes = token_dtype(trained), TARGET_DTYPES[lesson.target_dtype]
    sides: dict[str, list[Document]] = {name: [] for name in SPLITS}
    for document in block.documents():
        sides[task.rule.side(document)].append(document)
    for name, documents in sides.items():
        encoded = encode_records(documents, lesson.task, encoder, *dtypes)
        yield _Part(name, [document.text for document in documents], encoded)


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


def _hashes(texts: Iterable[str]) -> NDArray[np.uint64]:
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, _HASH_DTYPE)
