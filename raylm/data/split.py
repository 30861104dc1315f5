"""Which text is for training and which for validation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from raylm.config.errors import BadInput
from raylm.data.blocks import BlockRef
from raylm.data.documents import Document
from raylm.data.section import DataSection

SPLITS = ("train", "validation", "test")


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
    test_share: float = 0.0
    num_validation: int | None = None
    """So many characters after those for training are for validation; None: the rest."""

    def pieces(self, texts: Iterable[str], drawn_by: Sequence[str] = ()) -> Iterator[Piece]:
        """Yield the documents in order, each with its split.

        Args:
            texts: the documents.
            drawn_by: what is hashed to draw each one's split; none: its text.
        """
        return self._drawn(texts, drawn_by) if self.num_train is None else self._cut(texts)

    def side(self, document: Document) -> str:
        """Return the split of a document that is not to be cut: drawn, or that of the block's start."""
        drawn_by = [document.drawn_by] if document.drawn_by else ()
        return next(self.pieces([document.text], drawn_by)).split

    def _cut(self, texts: Iterable[str]) -> Iterator[Piece]:
        """Give the first characters to training, as nanoGPT does; a cut never falls inside one."""
        left = {"train": self.num_train, "validation": self.num_validation, "test": None}
        for text in texts:
            start = 0
            for split, room in left.items():
                stop = len(text) if room is None else min(len(text), start + room)
                if stop > start:
                    yield Piece(split, text[start:stop], is_end=stop == len(text))
                if room is not None:
                    left[split] = room - (stop - start)
                start = stop

    def _drawn(self, texts: Iterable[str], drawn_by: Sequence[str]) -> Iterator[Piece]:
        """Draw documents by a hash: what has the same stays together, and new ones move no other."""
        key = self.seed.to_bytes(8, "little")
        limits = [int(share * 2**64) for share in (self.validation_share, self.test_share)]
        for text, hashed in (
            zip(texts, drawn_by, strict=True) if drawn_by else ((text, text) for text in texts)
        ):
            digest = hashlib.blake2b(hashed.encode(), digest_size=8, key=key).digest()
            drawn = int.from_bytes(digest, "little")
            split = "validation" if drawn < limits[0] else "test" if drawn < sum(limits) else "train"
            yield Piece(split, text, is_end=True)


def rules(blocks: Sequence[BlockRef], data: DataSection) -> list[Rule]:
    """Return each block's rule; the shares are of all sources that are not on one side as a whole."""
    shared = sum(block.size.characters for block in blocks if data.sources[block.source].split == "share")
    left = int(shared * (1 - data.validation_share - data.test_share))
    of_validation = shared - left if not data.test_share else int(shared * data.validation_share)
    found = []
    for block in blocks:
        size = block.size.characters
        side = data.sources[block.source].split
        if side != "share":
            found.append(Rule(size if side == "train" else 0, num_validation=0 if side == "test" else None))
        elif data.split_by == "document":
            found.append(Rule(None, data.validation_share, data.split_seed, data.test_share))
        else:
            num_train = min(left, size)
            num_validation = min(of_validation, size - num_train)
            found.append(Rule(num_train, num_validation=num_validation))
            left, of_validation = left - num_train, of_validation - num_validation
    return found


def wanted_splits(data: DataSection) -> tuple[str, ...]:
    """Return the splits that the recipe asks for."""
    is_shared = any(source.split == "share" for source in data.sources)
    shares = {"train": 1.0, "validation": data.validation_share, "test": data.test_share}
    named = {source.split for source in data.sources}
    return tuple(name for name in SPLITS if name in named or (is_shared and shares[name] > 0))


def refuse_empty_splits(num_tokens: dict[str, int], data: DataSection, blocks: Sequence[BlockRef]) -> None:
    """Check that both splits hold something.

    Raises:
        BadInput: the corpus is too small for the split that was asked for.
    """
    num_documents = sum(block.size.documents for block in blocks)
    num_characters = sum(block.size.characters for block in blocks)
    for name in dict.fromkeys(("train", *wanted_splits(data))):
        if num_tokens[name]:
            continue
        if not any(source.split == "share" for source in data.sources):
            message = f"nothing is left of the sources with split: {name}, so that the {name} split is empty"
            raise BadInput.one("data.sources", message, "name one that has text", code="empty-split")
        field = "test_share" if name == "test" else "validation_share"
        raise BadInput.one(
            f"data.{field}",
            f"{getattr(data, field)} of {num_documents} documents "
            f"({num_characters:,} characters) leaves the {name} split empty",
            "give more text, another share or split_by: position",
            code="empty-split",
        )
