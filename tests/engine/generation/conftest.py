"""A tiny run of every family, made when a test first asks for it.

Trained for a second, a model says the same to every prompt; noise on its weights makes it say something else
to each, so that no text is right by chance.
"""

from collections.abc import Callable
from functools import cache

import pytest
import torch

from raylm.engine.restore import Restored, restore
from tests.families import FAMILIES, sections
from tests.tiny import tiny_recipe, train_alone

RECIPES = {family: sections(family) for family in FAMILIES} | {
    "gpt2": {"model": {"kind": "gpt2"}},  # of characters
    "llama": sections("llama", kind="causal"),
    "bert": sections("bert", kind="masked"),
}


@pytest.fixture(scope="session")
def checkpoint_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Restored]:
    storage = str(tmp_path_factory.mktemp("families"))

    @cache
    def made(family: str) -> Restored:
        steps = {"train": {"max_steps": 5}, "checkpoint": {"every_steps": 5}}
        restored = restore(train_alone(tiny_recipe(**RECIPES[family], **steps), storage, family))
        numbers = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for weights in restored.model.parameters():
                weights.add_(torch.randn(weights.shape, generator=numbers), alpha=0.3)
        return restored

    return made
