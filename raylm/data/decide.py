"""Dropping documents that only a view of the whole corpus can judge, such as second copies."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from raylm.data.blocks import Block, BlockRef
from raylm.data.clean import Dropped, Sketching, read_sketch
from raylm.data.filters import CorpusFilter, Twin
from raylm.data.index import FORMAT
from raylm.data.workspace import Workspace, key_of

STEP = "decide"
_BLOCKS_AT_HAND = 8  # of 4 MB, for comparing documents of different blocks


class _Sketches(Sequence[NDArray[np.generic]]):
    """The sketches of blocks, read one at a time: all of them may be more than memory holds."""

    def __init__(self, tasks: Sequence[Sketching], workspace: Workspace) -> None:
        self._tasks = tasks
        self._workspace = workspace

    def __len__(self) -> int:
        return len(self._tasks)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.generic]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NDArray[np.generic]]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return _Sketches(self._tasks[index], self._workspace)
        return read_sketch(self._tasks[index], self._workspace)


class Documents:
    """The documents of blocks by one running number."""

    def __init__(self, blocks: Sequence[BlockRef], workspace: Workspace) -> None:
        self._starts = list(accumulate((block.size.documents for block in blocks), initial=0))

        @lru_cache(maxsize=_BLOCKS_AT_HAND)
        def load(index: int) -> Block:
            return Block.from_bytes(workspace.read(blocks[index].step, blocks[index].name))

        self._load = load

    def text(self, number: int) -> str:
        index, place = self.place(number)
        return self._load(index).texts[place]

    def origin(self, number: int) -> str:
        index, place = self.place(number)
        return self._load(index).origins[place]

    def place(self, number: int) -> tuple[int, int]:
        """Return the block of a document, and its place there."""
        index = bisect_right(self._starts, number) - 1
        return index, number - self._starts[index]


def decide(
    rule: CorpusFilter, blocks: Sequence[BlockRef], settings: str, workspace: Workspace
) -> list[dict[int, Dropped]]:
    """Return what a filter drops of each block, by the document's place.

    The same sketches are decided on once.
    """
    sketchings = [Sketching(workspace.uri, block, rule, settings) for block in blocks]
    documents = Documents(blocks, workspace)
    key = key_of("decide", FORMAT, settings, [sketching.key for sketching in sketchings])
    try:
        twins = {int(number): Twin(*twin) for number, twin in workspace.read_json(STEP, key).items()}
        workspace.refresh(STEP, [f"{key}.json"])
    except FileNotFoundError:
        sketches = _Sketches(sketchings, workspace)
        twins = {int(number): twin for number, twin in rule.decide(sketches, documents.text).items()}
        workspace.write_json(STEP, key, twins)
    return _by_block(twins, documents, len(blocks))


def _by_block(twins: Mapping[int, Twin], documents: Documents, num_blocks: int) -> list[dict[int, Dropped]]:
    # By the twin that stays: neighbours lie in one block, which is then read once.
    names = {number: documents.origin(number) for number in sorted({twin.of for twin in twins.values()})}
    drops: list[dict[int, Dropped]] = [{} for _ in range(num_blocks)]
    for number, twin in sorted(twins.items()):
        index, place = documents.place(number)
        detail = "; ".join(part for part in (twin.detail, f"kept: {names[twin.of]}") if part)
        drops[index][place] = Dropped(twin.reason, detail)
    return drops
