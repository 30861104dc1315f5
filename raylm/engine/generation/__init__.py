"""Text from a trained model of any family: continued, written span by span, searched for, or masks filled.

What a model writes is decided by what it is; each way of writing is one file, and `writers` is the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from raylm.engine.generation.decoding import Chunk, Decoding

if TYPE_CHECKING:
    from raylm.engine.generation.writer import Source

__all__ = ["Chunk", "Decoding", "generate", "texts_of"]


def generate(
    source: Source,
    prompts: Sequence[str],
    decoding: Decoding | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Chunk]:
    """Yield what the model makes of prompts, piece by piece; the prompts advance together.

    Args:
        source: a restored checkpoint, or a model and its tokenizer.
        prompts: what to go on from, what to fill in; each gives what it would give alone.
        decoding: how tokens are chosen.
        is_cancelled: asked between tokens; once it is true, nothing more comes.

    Raises:
        BadInput: the model cannot do this with these prompts.
    """
    from raylm.engine.generation.writers import writer_for

    return writer_for(source).write(prompts, decoding or Decoding(), is_cancelled)


def texts_of(source: Source, prompts: Sequence[str], decoding: Decoding | None = None) -> list[str]:
    """Return the whole text that the model writes to each prompt."""
    texts = [""] * len(prompts)
    for chunk in generate(source, prompts, decoding):
        texts[chunk.prompt] += chunk.text
    return texts
