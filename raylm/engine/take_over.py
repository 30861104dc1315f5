"""Weights from one model into another, and weights that stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from torch import nn
from transformers import PreTrainedModel

from raylm.config.errors import BadInput

_SHOWN = 8


def take_over(model: PreTrainedModel, source: PreTrainedModel) -> tuple[str, ...]:
    """Put the weights of a source into a model, in place; return the modules that have none.

    Head and all where the two models are of one class and tell the same classes apart; else the part that
    reads, below the head.

    Raises:
        BadInput: the source holds nothing of the model.
    """
    is_same = type(source) is type(model) and source.config.id2label == model.config.id2label
    giver, taker = (source, model) if is_same else (source.base_model, model.base_model)
    own = dict(taker.named_parameters())
    missing = set(taker.load_state_dict(giver.state_dict(), strict=False).missing_keys)
    found = {weight for name, weight in own.items() if name not in missing}
    if not found:
        message = f"no weight of a {type(source).__name__} fits a {type(model).__name__}"
        raise BadInput.one("init.from", message, "name a run of the same family of models", code="init")
    return modules_of(name for name, weight in model.named_parameters() if weight not in found)


def modules_of(weights: Iterable[str]) -> tuple[str, ...]:
    """Return the modules that hold weights of these names."""
    return tuple(sorted({name.rpartition(".")[0] for name in weights}))


def freeze(model: nn.Module, patterns: Sequence[str]) -> None:
    """Keep the weights whose names match a pattern as they are.

    Raises:
        BadInput: a pattern matches none, or no weight is left to train.
    """
    names = dict(model.named_parameters())
    for pattern in patterns:
        matching = [name for name in names if fnmatchcase(name, pattern)]
        if not matching:
            some = ", ".join(list(names)[:_SHOWN])
            message = f"{pattern!r} matches no weight"
            raise BadInput.one("init.freeze", message, f"weights are called such as {some}", code="freeze")
        for name in matching:
            names[name].requires_grad_(False)  # noqa: FBT003 - torch takes it by place
    if patterns and not any(weight.requires_grad for weight in names.values()):
        raise BadInput.one("init.freeze", "no weight is left to train", "freeze fewer", code="freeze")
