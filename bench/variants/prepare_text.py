"""Prepares documents from their files to a packed dataset, again and again, each time from nothing."""

import json
import shutil
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from raylm.config import discover
from raylm.data.packing import Packing
from raylm.data.prepare import Prepared, prepare
from raylm.data.section import DataSection
from raylm.data.shards import Dataset
from raylm.data.tokenizers import Tokenizer

ROW_TOKENS = 1024


def run(options: dict[str, Any], tick: Callable[[float], None]) -> None:
    """Prepare for ever; the work of a tick is the megabytes of text."""
    megabytes = num_bytes(options["files"]) / 1e6
    for number in count():
        # Another place each time: a process keeps the tokenizer of a place, and the words that it has met.
        once({**options, "storage": f"{options['storage']}-{number}"})
        shutil.rmtree(f"{options['storage']}-{number}")
        tick(megabytes)


def once(options: dict[str, Any]) -> Prepared:
    """Prepare from nothing: read, encode, write, and pack whole documents into rows."""
    for family in ("sources", "filters", "tokenizers"):
        discover(f"raylm.data.{family}")
    shutil.rmtree(options["storage"], ignore_errors=True)  # of an earlier round
    data = DataSection.model_validate(
        {
            "sources": [{"kind": "jsonl", "path": options["files"], "licence": "CC0-1.0"}],
            "validation_share": 0.01,
            "num_workers": options["num_workers"],
        }
    )
    tokenizer = Tokenizer.model_validate({"kind": "pretrained", "path": options["tokenizer"]})
    prepared = prepare(data, tokenizer, options["storage"])
    Dataset.open(prepared.uri, Packing("best_fit")).splits["train"].rows(ROW_TOKENS, 1)
    return prepared


def texts(files: Sequence[str]) -> list[str]:
    """Return the documents."""
    return [json.loads(line)["text"] for file in files for line in Path(file).open(encoding="utf-8")]


def num_bytes(files: Sequence[str]) -> int:
    """Return the UTF-8 bytes of the documents' text."""
    return sum(len(text.encode()) for text in texts(files))
