"""Models in this process: as a run begins with them, and as its checkpoints hold them.

Both in one file, as each needs the other: a run may begin with another one's checkpoint, and the checkpoint
of an adapter holds little more than its difference from the model that its run began with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from raylm.config.errors import BadInput
from raylm.config.vocabulary import Vocabulary
from raylm.data.tokenizer_files import tokenizer_in
from raylm.engine import checkpoint
from raylm.engine.adapters import merged, put_on
from raylm.engine.run_model import model_class, model_config, run_tokenizer, wanted_checkpoint
from raylm.engine.take_over import freeze, take_over
from raylm.engine.world import World
from raylm.models import Classes
from raylm.objectives import ReadsRecords
from raylm.recipe import Recipe
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.run import Run


class Restored(NamedTuple):
    """A checkpoint brought back."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    checkpoint: Checkpoint
    adapted: Any = None
    """Peft's view of the model, where the run trains an adapter and it was to stay apart."""


class Initial(NamedTuple):
    """A model before its first step."""

    model: PreTrainedModel
    fresh: tuple[str, ...] = ()
    """Modules whose weights were drawn at random where others were taken over."""
    adapted: Any = None
    """Peft's view of the model, where it has an adapter."""


def restore(run: Run, step: int | None = None, *, keep_adapter: bool = False, deep: bool = True) -> Restored:
    """Return the model of a run's checkpoint in evaluation mode, float32, and its tokenizer.

    Args:
        run: The run.
        step: The checkpoint; the newest good one when not given.
        keep_adapter: Whether an adapter stays apart from the weights that it adapts; else it is merged.
        deep: Whether every byte is verified; False for whoever has done that.

    Raises:
        BadInput: There is no such checkpoint, or it is damaged.
    """
    found = wanted_checkpoint(run, step, deep=deep)
    tokenizer = run_tokenizer(run)
    if "base" in found.facts:
        model, _, adapted = _with_adapter(run, found, deep=deep)
        model = model if keep_adapter else merged(adapted)
        return Restored(model.eval(), tokenizer, found, adapted if keep_adapter else None)
    config = model_config(run)
    model = model_class(config)(config)
    _load(found, checkpoint.model_tensors(model))
    return Restored(model.eval(), tokenizer, found)


def initial_model(
    recipe: Recipe, vocabulary: Vocabulary, labels: Sequence[str], *, is_trained: bool = True
) -> Initial:
    """Return the model of a recipe before its first step; fresh weights come from torch's global generator.

    The checkpoint that it begins with is not hashed here, as every process comes here: `Init.checkpoint` is
    asked for that once.

    Args:
        recipe: Of the run.
        vocabulary: Of its tokenizer.
        labels: Of its task, in the order of their ids.
        is_trained: Whether it is to be trained; else weights are not quantized beneath an adapter.

    Raises:
        BadInput: The weights to begin with cannot be read, or a pattern matches no weight.
    """
    objective, length = recipe.objective, recipe.train.sequence_length
    is_classifier = isinstance(objective, ReadsRecords)
    classes = Classes(tuple(labels), objective.problem_type) if is_classifier else None
    if recipe.init is None:
        return Initial(recipe.model.build(vocabulary, length, objective.head, classes))
    stored = recipe.adapter.quantization() if recipe.adapter is not None and is_trained else None
    model, fresh = recipe.model.build_on(vocabulary, length, objective.head, classes, stored)
    if source := recipe.init.run():
        fresh = take_over(model, restore(*source, deep=False).model)
    freeze(model, recipe.init.freeze)
    adapted = None if recipe.adapter is None else put_on(model, recipe.adapter, fresh)
    return Initial(model, tuple(fresh), adapted)


def base_of(recipe: Recipe, labels: Sequence[str]) -> dict[str, Any]:
    """Return what an adapter's checkpoint says of the model beneath it."""
    assert recipe.init is not None, "an adapter stands on weights: a rule says so"
    return {"from": recipe.init.source, "digest": _digest(recipe), "labels": list(labels)}


def _with_adapter(run: Run, found: Checkpoint, *, deep: bool) -> Initial:
    """Return the model that the run began with, and on it the adapter that the checkpoint holds."""
    recipe, base = Recipe.from_yaml(run.recipe_yaml()), found.facts["base"]
    assert recipe.init is not None, "an adapter stands on weights: a rule says so"
    recipe.init.checkpoint(deep=deep)
    digest = _digest(recipe)
    if digest != base["digest"]:
        message = f"{base['from']} is not the one that the adapter was trained on"
        mend = f"its digest is {digest[:12]}, the adapter's base had {base['digest'][:12]}; bring that back"
        raise BadInput.one("init.from", message, mend, code="base_changed")
    vocabulary = tokenizer_in(run.folder / "tokenizer", "tokenizer").vocabulary()
    initial = initial_model(recipe, vocabulary, base["labels"], is_trained=False)
    _load(found, checkpoint.model_tensors(initial.model, only_trained=True))
    return initial


def _load(found: Checkpoint, tensors: dict[str, torch.Tensor]) -> None:
    assert found.folder is not None
    with torch.no_grad():
        checkpoint.load(found.folder, tensors, World(0, 1, torch.device("cpu")))


def _digest(recipe: Recipe) -> str:
    """Return the digest of the weights that a recipe begins with: a checkpoint's, or that of the files."""
    assert recipe.init is not None
    if found := recipe.init.checkpoint():
        return found.digest
    files = sorted(Path(recipe.init.source).glob("*.safetensors"))
    hashes = [f"{file.name} {_hash(file)}" for file in files]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
