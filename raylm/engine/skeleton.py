"""A fine-tuned model without its weights: what would be trained of it, known before any are read."""

from __future__ import annotations

import torch
from transformers import PreTrainedModel

from raylm.config.vocabulary import Vocabulary
from raylm.engine.adapters import put_on
from raylm.engine.take_over import freeze, modules_of
from raylm.models import CLASSIFYING, Classes
from raylm.recipe import Recipe


def skeleton(recipe: Recipe, vocab_size: int) -> PreTrainedModel:
    """Return the model of a recipe with `init`, on no device, with what it freezes and adapts.

    A head that classifies is taken to be fresh, and to tell two classes apart.

    Raises:
        BadInput: a pattern of `init.freeze` or a target of the adapter matches nothing.
    """
    assert recipe.init is not None
    head = recipe.objective.head
    classes = Classes(("no", "yes")) if head in CLASSIFYING else None
    shape = recipe.model.model_copy(update={"has_fresh_weights": True})
    with torch.device("meta"):  # no memory is taken
        model = shape.build(Vocabulary(vocab_size), recipe.train.sequence_length, head, classes)
        freeze(model, recipe.init.freeze)
        if recipe.adapter is not None:
            put_on(model, recipe.adapter, _head_of(model) if classes else ())
    return model


def num_trained(model: PreTrainedModel) -> int:
    """Return how many weights are trained."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def _head_of(model: PreTrainedModel) -> tuple[str, ...]:
    below = set(model.base_model.parameters())
    return modules_of(name for name, weight in model.named_parameters() if weight not in below)
