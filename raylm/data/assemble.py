"""Encoded blocks, in order, to the files of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import numpy as np

from raylm.data.encode import Encoding, read_encoded
from raylm.data.encoded_split import EncodedSplit
from raylm.data.index import SplitIndex
from raylm.data.tally import Unlearned
from raylm.data.workspace import Workspace
from raylm.data.writer import SplitWriter
from raylm.runs.folder import Folder


@dataclass
class Assembled:
    """What was written, and what was counted on the way."""

    splits: dict[str, SplitIndex]
    tokens: list[dict[str, int]]
    """By source and split, ends of text included."""
    documents: list[dict[str, int]]
    num_unknown: dict[str, int]
    """Tokens of unknown characters, by split."""
    num_shortened: dict[str, int]
    """Rows whose prompt lost its beginning, by split."""
    num_unlearned: dict[str, int]
    """Documents left out because a row is cut off before anything that is to be learned, by split."""
    unlearned: list[Unlearned]
    """By source, of all splits."""

    def num_tokens(self) -> dict[str, int]:
        """Return the tokens of each split."""
        return {name: split.num_tokens for name, split in self.splits.items()}

    def count(self, part: EncodedSplit, source: int, split: str) -> None:
        """Add what a block gave to a split."""
        self.tokens[source][split] += len(part.tokens)
        self.documents[source][split] += len(part.lengths)
        self.num_unknown[split] += part.num_unknown
        self.num_shortened[split] += part.num_shortened
        self.num_unlearned[split] += part.num_unlearned
        self.unlearned[source].documents += part.num_unlearned
        self.unlearned[source].bytes += part.unlearned_bytes


def assemble(
    encodings: Sequence[Encoding],
    num_sources: int,
    dtype: np.dtype,
    folder: Folder,
    splits: Sequence[str],
    progress: Callable[[int], None],
) -> Assembled:
    """Write the splits' columns into a dataset's folder."""
    zeros = partial(dict.fromkeys, splits, 0)
    assembled = Assembled(
        splits={},
        tokens=[zeros() for _ in range(num_sources)],
        documents=[zeros() for _ in range(num_sources)],
        num_unknown=zeros(),
        num_shortened=zeros(),
        num_unlearned=zeros(),
        unlearned=[Unlearned() for _ in range(num_sources)],
    )
    with ExitStack() as stack:
        writers = {name: stack.enter_context(SplitWriter(folder, name, dtype)) for name in splits}
        for encoding in encodings:
            source = encoding.block.source
            parts = read_encoded(encoding, Workspace(encoding.workspace))
            for name in splits:
                part = parts[name]
                assembled.count(part, source, name)
                writers[name].add(
                    part.tokens, part.lengths, source, part.num_bytes, part.sentences, part.more
                )
            progress(encoding.block.size.bytes)
        assembled.splits = {name: writer.close() for name, writer in writers.items()}
    return assembled
