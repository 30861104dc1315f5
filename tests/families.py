"""Tiny recipes of every family: which tokenizer it gets, and which objective it is pretrained with."""

from typing import Any

from raylm.recipe import Recipe
from tests.tiny import tiny_recipe

_BYTES = {"kind": "byte_bpe", "vocab_size": 400}
_UNIGRAM = {"kind": "unigram", "vocab_size": 500}
# Their special tokens are left open, and so are the family's.
TOKENIZERS = {
    "gpt2": _BYTES,
    "llama": _BYTES,
    "bert": {"kind": "wordpiece", "vocab_size": 400},
    "roberta": _BYTES,
    "t5": _UNIGRAM,
    "xlnet": _UNIGRAM,
}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "gpt2": {"kind": "causal"},
    "llama": {"kind": "prefix"},
    "bert": {"kind": "next_sentence"},
    "roberta": {"kind": "masked", "whole_words": True},
    "t5": {"kind": "span_corruption"},
    "xlnet": {"kind": "permutation"},
}
FAMILIES = tuple(TOKENIZERS)


def sections(family: str, **objective: Any) -> dict[str, dict[str, Any]]:
    """Return the sections that make a tiny recipe one of a family, with its own objective or another."""
    return {
        "model": {"kind": family},
        "tokenizer": TOKENIZERS[family],
        "objective": objective or OBJECTIVES[family],
    }


def family_recipe(kind: str, **changes: dict[str, Any]) -> Recipe:
    """Return the recipe of a family, very small; each argument changes fields of one section."""
    given = sections(kind)
    given["model"] |= {"num_layers": 1, "num_heads": 2, "hidden_size": 32, "dropout": 0.0}
    merged = {name: {**given.get(name, {}), **changes.get(name, {})} for name in (*given, *changes)}
    return tiny_recipe(**merged)
