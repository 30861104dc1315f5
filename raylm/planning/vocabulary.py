"""How many tokens the vocabulary will have, as far as that is known before the data is prepared."""

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from raylm.config import BadInput
from raylm.data.index import Index
from raylm.data.sources import Document, Source
from raylm.data.tokenizers import Tokenizer
from raylm.recipe import Recipe
from raylm.tasks import Task

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
        if not is_small(recipe.data.sources):
            return None
        stamps = tuple(_stamps(recipe.data.sources))
        return _learned(recipe.tokenizer, recipe.data.sources, recipe.task, stamps)  # pyright: ignore[reportArgumentType] - frozen sections have a hash
    except (BadInput, OSError):
        return None  # preflight says what is wrong with the files; elsewhere than here they are not read


def is_small(sources: Iterable[Source]) -> bool:
    """Whether the sources are known to be so small that a plan may read them.

    Raises:
        BadInput: a file is missing or is not a regular file.
    """
    sizes = [item.num_bytes for source in sources for item in source.inputs()]
    return all(sizes) and 0 < sum(sizes) <= LARGEST_READ


def _stamps(sources: Iterable[Source]) -> list[_Stamp]:
    items = [item for source in sources for item in source.inputs()]
    return [_Stamp(*item, Path(item.name).stat().st_mtime_ns) for item in items]


@functools.lru_cache(maxsize=16)
def _learned(
    tokenizer: Tokenizer, sources: tuple[Source, ...], task: Task | None, stamps: tuple[_Stamp, ...]
) -> int:
    del stamps  # only part of the key
    return tokenizer.train(_texts(sources, task)).vocab_size


def _texts(sources: Iterable[Source], task: Task | None) -> Iterator[str]:
    for source in sources:
        for item in source.inputs():
            for document in source.read(item) if task is None else source.records(item, task):
                if isinstance(document, Document):
                    yield document.text
