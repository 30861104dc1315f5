"""Encodes documents that are in memory already, with the tokenizers library alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tokenizers

from bench.variants.prepare_text import texts

BATCH = 800  # documents: some 2 MB


def run(options: dict[str, Any], tick: Callable[[float], None]) -> None:
    """Encode for ever; the ids are not even looked at. The work of a tick is the megabytes of text."""
    documents = texts(options["files"])
    megabytes = sum(len(text.encode()) for text in documents) / 1e6
    model = tokenizers.Tokenizer.from_file(str(Path(options["tokenizer"]) / "tokenizer.json"))
    model.encode_special_tokens = True  # as a preparation does
    while True:
        for start in range(0, len(documents), BATCH):
            model.encode_batch_fast(documents[start : start + BATCH], add_special_tokens=False)
        tick(megabytes)
