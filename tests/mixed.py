"""A tiny run over two sources, the first drawn three times as often as the second."""

from pathlib import Path

from raylm.recipe import Recipe
from tests.tiny import CORPUS, tiny_recipe

NAMES, WEIGHTS = ("first", "second"), (3, 1)


def mixed_recipe(folder: Path) -> Recipe:
    """Write the two texts into a folder; return a recipe that trains ten steps on them."""
    half = 20_000
    text = CORPUS.read_text()
    sources = []
    for name, weight, part in zip(NAMES, WEIGHTS, (text[:half], text[half:]), strict=True):
        path = folder / f"{name}.txt"
        path.write_text(part)
        source = {"kind": "text", "path": str(path), "by": "paragraph"}
        sources.append({**source, "weight": weight, "licence": "CC0-1.0"})
    return tiny_recipe(train={"max_steps": 10}, data={"sources": sources, "split_by": "document"})
