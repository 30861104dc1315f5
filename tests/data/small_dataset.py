"""Datasets of numbered tokens, written without a text or a tokenizer: token i of a split has the id i."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from raylm.data.index import NAME, Index, SourceIndex
from raylm.data.packing import Packing
from raylm.data.shards import Dataset
from raylm.data.writer import SplitWriter
from raylm.runs.folder import Folder

Lengths = Mapping[str, Sequence[int]]  # tokens of each document, by source


class Layout(NamedTuple):
    """A split as packing sees it."""

    document_offsets: np.ndarray
    source_documents: np.ndarray
    source_tokens: np.ndarray


def layout(*sources: Sequence[int]) -> Layout:
    """Return the layout of sources, each given by the lengths of its documents."""
    offsets = np.cumsum([0, *(length for source in sources for length in source)])
    documents = np.cumsum([0, *map(len, sources)])
    return Layout(offsets, documents, offsets[documents])


def write_dataset(path: Path, train: Lengths, validation: Lengths, packing: Packing | None = None) -> Dataset:
    """Write a dataset whose sources have documents of these lengths, and open it."""
    folder, splits = Folder.open(path), {"train": train, "validation": validation}
    sources = tuple(
        SourceIndex(
            name=name,
            licence="CC0-1.0",
            num_documents={split: len(lengths.get(name, ())) for split, lengths in splits.items()},
            num_tokens={split: sum(lengths.get(name, ())) for split, lengths in splits.items()},
        )
        for name in train
    )
    index = Index(
        digest="d" * 64,
        plan="p" * 64,
        dtype="uint32",
        vocab_size=1 << 20,
        eos_token_id=0,
        tokenizer={"kind": "character"},
        num_documents=sum(map(len, train.values())),
        sources=sources,
        splits={name: _write_split(folder, name, list(lengths.values())) for name, lengths in splits.items()},
        files=(),
    )
    folder.write(NAME, index.to_bytes())
    return Dataset.open(path, packing)


def _write_split(folder: Folder, name: str, sources: list[Sequence[int]]):
    with SplitWriter(folder, name, np.dtype("<u4")) as writer:
        start = 0
        for number, lengths in enumerate(sources):
            stop = start + sum(lengths)
            writer.add(np.arange(start, stop), np.array(lengths, dtype=np.int64), number, stop - start)
            start = stop
        return writer.close()
