"""A tiny run of every family, made when a test first asks for it.

Trained for a second, a model says the same to every prompt; noise on its weights makes it say something else
to each, so that no text is right by chance.
"""

from collections.abc import Callable
from functools import cache

import pytest
import torch

from raylm.engine.restore import Restored, restore
from tests.tiny import tiny_recipe, train_alone

XLNET = {"kind": "unigram", "vocab_size": 500, "special_tokens": "xlnet"}
RECIPES = {
    "gpt2": {"model": {"kind": "gpt2"}},
    "llama": {
        "model": {"kind": "llama", "dropout": 0.0},
        "tokenizer": {"kind": "byte_bpe", "vocab_size": 400},
    },
    "bert": {
        "model": {"kind": "bert"},
        "tokenizer": {"kind": "wordpiece", "vocab_size": 400, "special_tokens": "bert"},
        "objective": {"kind": "masked"},
    },
    "roberta": {
        "model": {"kind": "roberta"},
        "tokenizer": {"kind": "byte_bpe", "vocab_size": 400, "special_tokens": "roberta"},
        "objective": {"kind": "masked"},
    },
    "t5": {
        "model": {"kind": "t5"},
        "tokenizer": {"kind": "unigram", "vocab_size": 500, "special_tokens": "t5"},
        "objective": {"kind": "span_corruption"},
    },
    "xlnet": {"model": {"kind": "xlnet"}, "tokenizer": XLNET, "objective": {"kind": "permutation"}},
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
