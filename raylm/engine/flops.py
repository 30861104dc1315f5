"""How much arithmetic the steps of a recipe are."""

from __future__ import annotations

from typing import NamedTuple

from raylm.models import CLASSIFYING
from raylm.recipe import Recipe


class Flops(NamedTuple):
    """Floating-point operations, forward and backward, that a model's definition asks for."""

    of_input: float
    """For each token that is read."""
    of_target: float
    """For each that is predicted: the output layer's; 0 for a head that is not one over the vocabulary."""

    def of(self, num_inputs: int, num_targets: int) -> float:
        """Return those of a step."""
        return num_inputs * self.of_input + num_targets * self.of_target


def flops_of(recipe: Recipe, vocab_size: int) -> Flops:
    """Return what the tokens of a recipe cost."""
    is_language = recipe.objective.head not in CLASSIFYING
    of_target = recipe.model.head_flops_per_token(vocab_size) if is_language else 0.0
    return Flops(recipe.model.body_flops_per_token(recipe.train.sequence_length), of_target)
