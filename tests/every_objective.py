"""A tiny run of each objective, with the text of its validation split in a file of its own."""

import functools
from collections.abc import Callable
from pathlib import Path

from raylm.runs.run import Run
from tests.families import sections
from tests.tiny import CORPUS, tiny_recipe, train_alone

VALIDATION_BYTES = 4000
KINDS = {
    "causal": {},
    "prefix": {"objective": {"kind": "prefix"}},
    "masked": sections("bert", kind="masked"),
    "span_corruption": sections("t5"),
    "permutation": sections("xlnet"),
}


def runs_in(folder: Path) -> Callable[[str], Run]:
    """Return a function that gives the trained run of an objective; it is trained once."""
    text = CORPUS.read_text()
    (folder / "train.txt").write_text(text[:-VALIDATION_BYTES])
    (folder / "validation.txt").write_text(text[-VALIDATION_BYTES:])
    sources = [
        {"kind": "text", "path": str(folder / f"{split}.txt"), "split": split}
        for split in ("train", "validation")
    ]

    @functools.cache
    def run_of(kind: str) -> Run:
        return train_alone(tiny_recipe(data={"sources": sources}, **KINDS[kind]), str(folder / "runs"), kind)

    return run_of


def validation_text(run: Run) -> str:
    """Return the file of the run's validation text."""
    return run.uri.rpartition("/runs/")[0] + "/validation.txt"
