"""What of a model a recipe trains."""

from __future__ import annotations

from functools import lru_cache

from raylm.config import BadInput
from raylm.recipe import Recipe


def trained_parameters(recipe: Recipe, vocab_size: int) -> int | None:
    """Return the parameters that are trained; None where they all are, or where it is not known."""
    if not _trains_a_part(recipe):
        return None
    try:
        return _counted(recipe.to_yaml(), vocab_size)
    except BadInput:
        return None  # preflight says what is wrong


def refuse_unmatched(recipe: Recipe, vocab_size: int) -> None:
    """Refuse names of weights and of layers that match nothing.

    Raises:
        BadInput: names those that there are.
    """
    if _trains_a_part(recipe):
        from raylm.engine.skeleton import skeleton

        skeleton(recipe, vocab_size)


def _trains_a_part(recipe: Recipe) -> bool:
    return recipe.init is not None and (recipe.adapter is not None or bool(recipe.init.freeze))


@lru_cache(maxsize=8)
def _counted(recipe: str, vocab_size: int) -> int:
    from raylm.engine.skeleton import num_trained, skeleton

    return num_trained(skeleton(Recipe.from_yaml(recipe), vocab_size))
