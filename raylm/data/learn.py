"""The tokenizer of a dataset: trained on the training text, kept in the workspace for whoever encodes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from raylm.data.blocks import Block, BlockRef
from raylm.data.chunks import chunks
from raylm.data.index import FORMAT
from raylm.data.split import Rule
from raylm.data.tokenizers import Tokenizer, TrainedTokenizer
from raylm.data.workspace import Workspace, key_of

STEP = "tokenizer"


def learn(
    tokenizer: Tokenizer,
    blocks: Sequence[BlockRef],
    rules: Sequence[Rule],
    workspace: Workspace,
    progress: Callable[[int], None],
) -> str:
    """Train on the training split, for validation text must not shape it; return the result's key.

    Raises:
        BadInput: the tokenizer cannot be trained on this text.
    """
    texts = [(block.key, rule) for block, rule in zip(blocks, rules, strict=True) if rule.num_train != 0]
    # A tokenizer that is trained already looks at no text.
    key = key_of("tokenizer", FORMAT, tokenizer.settings(), texts if tokenizer.reads_texts else [])
    is_there = key in workspace.keys(STEP, ".json") and workspace.refresh(STEP, [f"{key}.json"])
    if not is_there:
        trained = tokenizer.train(training_texts(blocks, rules, workspace, progress))
        files = {name: content.decode() for name, content in trained.files().items()}
        workspace.write_json(STEP, key, files)
    return key


def training_texts(
    blocks: Sequence[BlockRef],
    rules: Sequence[Rule],
    workspace: Workspace,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[str]:
    """Yield the training text in order, in pieces of bounded size."""
    for block, rule in zip(blocks, rules, strict=True):
        held = Block.from_bytes(workspace.read(block.step, block.name))
        for piece in rule.pieces(held.texts, held.drawn_by):
            if piece.split == "train":
                yield from chunks(piece.text)
        progress(block.size.bytes)


@lru_cache(maxsize=2)
def trained_tokenizer(workspace: str, key: str) -> TrainedTokenizer:
    """Return a tokenizer that `learn` wrote; loaded once in a process."""
    files = Workspace(workspace).read_json(STEP, key)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_text(content, encoding="utf-8")
        return TrainedTokenizer.load(Path(folder))
