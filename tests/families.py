"""A tiny recipe of every family, each with the objective that it is pretrained with."""

from typing import Any

from raylm.recipe import Recipe
from tests.tiny import tiny_recipe

_SIZE = {"num_layers": 1, "num_heads": 2, "hidden_size": 32}
_UNIGRAM = {"kind": "unigram", "vocab_size": 500}
FAMILIES: dict[str, dict[str, dict[str, Any]]] = {
    "gpt2": {"objective": {"kind": "causal"}, "tokenizer": {"kind": "byte_bpe", "vocab_size": 400}},
    "llama": {"objective": {"kind": "prefix"}, "tokenizer": {"kind": "byte_bpe", "vocab_size": 400}},
    "bert": {
        "objective": {"kind": "next_sentence"},
        "tokenizer": {"kind": "wordpiece", "vocab_size": 400},
    },
    "roberta": {
        "objective": {"kind": "masked", "whole_words": True},
        "tokenizer": {"kind": "byte_bpe", "vocab_size": 400},
    },
    "t5": {"objective": {"kind": "span_corruption"}, "tokenizer": _UNIGRAM},
    "xlnet": {"objective": {"kind": "permutation"}, "tokenizer": _UNIGRAM},
}


def family_recipe(kind: str, **sections: dict[str, Any]) -> Recipe:
    """Return the recipe of a family; each argument changes fields of one section."""
    given = {"model": {"kind": kind, **_SIZE, "dropout": 0.0}, **FAMILIES[kind]}
    merged = {name: {**given.get(name, {}), **sections.get(name, {})} for name in (*given, *sections)}
    return tiny_recipe(**merged)
