"""Which text is for training and which for validation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from raylm.config.errors import BadInput
from raylm.data.corpus import Part, Survey
from raylm.data.section import DataSection

SPLITS = ("train", "validation")


class Piece(NamedTuple):
    """A document, or the part of it on one side of the cut."""

    split: str
    source: int
    text: str
    is_end: bool
    """Whether the document ends here."""


def pieces(documents: Iterable[Part], data: DataSection, num_characters: int) -> Iterator[Piece]:
    """Yield the documents in order, each with its split; `num_characters` is what all of them hold."""
    if data.split_by == "document":
        return _drawn(documents, data)
    return _cut(documents, int(num_characters * (1 - data.validation_share)))


def _cut(documents: Iterable[Part], num_train_characters: int) -> Iterator[Piece]:
    """Give the first characters to training, as nanoGPT does; a cut never falls inside one."""
    left = num_train_characters
    for source, text, *_ in documents:
        if left:
            yield Piece("train", source, text[:left], is_end=len(text) <= left)
        if len(text) > left:
            yield Piece("validation", source, text[left:], is_end=True)
        left = max(0, left - len(text))


def _drawn(documents: Iterable[Part], data: DataSection) -> Iterator[Piece]:
    """Draw documents by a hash of their text: copies of one stay together, and new ones move no other."""
    key = data.split_seed.to_bytes(8, "little")
    limit = int(data.validation_share * 2**64)
    for source, text, *_ in documents:
        digest = hashlib.blake2b(text.encode(), digest_size=8, key=key).digest()
        is_drawn = int.from_bytes(digest, "little") < limit
        yield Piece("validation" if is_drawn else "train", source, text, is_end=True)


def refuse_empty_splits(num_tokens: dict[str, int], data: DataSection, survey: Survey) -> None:
    """Check that both splits hold something.

    Raises:
        BadInput: the corpus is too small for the split that was asked for.
    """
    wanted = SPLITS if data.validation_share else SPLITS[:1]
    for name in wanted:
        if not num_tokens[name]:
            raise BadInput.one(
                "data.validation_share",
                f"{data.validation_share} of {survey.num_documents} documents "
                f"({survey.num_characters:,} characters) leaves the {name} split empty",
                "give more text, another share or split_by: position",
                code="empty-split",
            )
