"""Which text is for training and which for validation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from raylm.config.errors import BadInput
from raylm.data.blocks import BlockRef
from raylm.data.section import DataSection

SPLITS = ("train", "validation")


class Piece(NamedTuple):
    """A document, or the part of it on one side of the cut."""

    split: str
    text: str
    is_end: bool
    """Whether the document ends here."""


class Rule(NamedTuple):
    """How the text of one block is divided."""

    num_train: int | None
    """So many characters from the block's start are for training; None: whole documents are drawn."""
    validation_share: float = 0.0
    seed: int = 0

    def pieces(self, texts: Iterable[str]) -> Iterator[Piece]:
        """Yield the documents in order, each with its split."""
        return self._drawn(texts) if self.num_train is None else self._cut(texts, self.num_train)

    def _cut(self, texts: Iterable[str], left: int) -> Iterator[Piece]:
        """Give the first characters to training, as nanoGPT does; a cut never falls inside one."""
        for text in texts:
            if left:
                yield Piece("train", text[:left], is_end=len(text) <= left)
            if len(text) > left:
                yield Piece("validation", text[left:], is_end=True)
            left = max(0, left - len(text))

    def _drawn(self, texts: Iterable[str]) -> Iterator[Piece]:
        """Draw documents by a hash of their text: copies of one stay together, and new ones move no other."""
        key = self.seed.to_bytes(8, "little")
        limit = int(self.validation_share * 2**64)
        for text in texts:
            digest = hashlib.blake2b(text.encode(), digest_size=8, key=key).digest()
            is_drawn = int.from_bytes(digest, "little") < limit
            yield Piece("validation" if is_drawn else "train", text, is_end=True)


def rules(blocks: Sequence[BlockRef], data: DataSection) -> list[Rule]:
    """Return each block's rule; the share is of all sources that are neither named train nor validation."""
    shared = sum(block.size.characters for block in blocks if data.sources[block.source].split == "share")
    left = int(shared * (1 - data.validation_share))
    found = []
    for block in blocks:
        num_characters = block.size.characters
        side = data.sources[block.source].split
        if side != "share":
            found.append(Rule(num_characters if side == "train" else 0))
        elif data.split_by == "document":
            found.append(Rule(None, data.validation_share, data.split_seed))
        else:
            found.append(Rule(min(left, num_characters)))
            left -= min(left, num_characters)
    return found


def wants_validation(data: DataSection) -> bool:
    """Whether the recipe asks for a validation split."""
    is_shared = any(source.split == "share" for source in data.sources)
    return any(source.split == "validation" for source in data.sources) or (
        is_shared and data.validation_share > 0
    )


def refuse_empty_splits(num_tokens: dict[str, int], data: DataSection, blocks: Sequence[BlockRef]) -> None:
    """Check that both splits hold something.

    Raises:
        BadInput: the corpus is too small for the split that was asked for.
    """
    num_documents = sum(block.size.documents for block in blocks)
    num_characters = sum(block.size.characters for block in blocks)
    for name in SPLITS if wants_validation(data) else SPLITS[:1]:
        if num_tokens[name]:
            continue
        if not any(source.split == "share" for source in data.sources):
            message = f"nothing is left of the sources with split: {name}, so that the {name} split is empty"
            raise BadInput.one("data.sources", message, "name one that has text", code="empty-split")
        raise BadInput.one(
            "data.validation_share",
            f"{data.validation_share} of {num_documents} documents "
            f"({num_characters:,} characters) leaves the {name} split empty",
            "give more text, another share or split_by: position",
            code="empty-split",
        )
