"""Documents of two to three kilobytes whose vocabulary keeps growing (see `bench.heaps`), as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench import heaps

_CHARACTERS = 2000  # a document ends with the paragraph that reaches this


def write(folder: Path, num_bytes: int, num_files: int = 1, seed: int = 0) -> tuple[Path, ...]:
    """Write text of at least that many bytes, parted evenly over files; return them."""
    folder.mkdir(parents=True)
    source = documents(seed)
    paths = tuple(folder / f"{number:03d}.jsonl" for number in range(num_files))
    for path in paths:
        left = num_bytes // num_files
        with path.open("w", encoding="utf-8") as file:
            while left > 0:
                text = next(source)
                left -= len(text.encode())
                file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    return paths


def documents(seed: int = 0) -> Iterator[str]:
    """Yield documents without end."""
    held: list[str] = []
    size = 0
    rest = ""
    for block in heaps.blocks(seed):
        *paragraphs, rest = (rest + block.decode()).split("\n\n")
        for paragraph in paragraphs:
            held.append(paragraph)
            size += len(paragraph)
            if size >= _CHARACTERS:
                yield "\n\n".join(held)
                held, size = [], 0


def save_tokenizer(folder: Path, vocab_size: int, num_documents: int = 4000, seed: int = 0) -> None:
    """Train a byte_bpe on the first of the documents."""
    from raylm.data.tokenizers.byte_bpe import ByteBpe

    texts = islice(documents(seed), num_documents)
    ByteBpe(vocab_size=vocab_size).train(texts).save(folder)
