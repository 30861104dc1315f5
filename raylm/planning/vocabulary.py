"""How many tokens the vocabulary will have, as far as that is known before the data is prepared."""

import functools
from collections.abc import Iterable
from typing import NamedTuple

from raylm.config import BadInput
from raylm.data.index import Index
from raylm.data.sources import Source
from raylm.data.tokenizers import Tokenizer
from raylm.recipe import Recipe

LARGEST_READ = 16_000_000  # bytes of files read for a plan, which a form asks for at every change


class _Stamp(NamedTuple):
    """A file as it is now, so that a result may be kept until it changes."""

    path: str
    num_bytes: int
    modified_ns: int


def expected_vocab_size(recipe: Recipe, index: Index | None) -> int | None:
    """Return the prepared data's vocabulary; else the one asked for; else what a small corpus gives."""
    if index is not None:
        return index.vocab_size
    asked = getattr(recipe.tokenizer, "vocab_size", None)
    return asked if asked is not None else _of_corpus(recipe)


def _of_corpus(recipe: Recipe) -> int | None:
    try:
        if not 0 < source_bytes(recipe.data.sources) <= LARGEST_READ:
            return None
        stamps = tuple(_stamps(recipe.data.sources))
        return _learned(recipe.tokenizer, recipe.data.sources, stamps)  # pyright: ignore[reportArgumentType] - frozen sections have a hash
    except (BadInput, OSError):
        return None  # preflight says what is wrong with the files


def source_bytes(sources: Iterable[Source]) -> int:
    """Return what the sources' files take on disk.

    Raises:
        BadInput: a file is missing or is not a regular file.
    """
    return sum(stamp.num_bytes for stamp in _stamps(sources))


def _stamps(sources: Iterable[Source]) -> list[_Stamp]:
    stats = [(path, path.stat()) for source in sources for path in source.files()]
    return [_Stamp(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats]


@functools.lru_cache(maxsize=16)
def _learned(tokenizer: Tokenizer, sources: tuple[Source, ...], stamps: tuple[_Stamp, ...]) -> int:
    del stamps  # only part of the key
    texts = (document.text for source in sources for document in source.documents())
    return tokenizer.train(texts).vocab_size
