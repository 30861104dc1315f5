"""Adapters on models: put on before training, saved alone, merged into the weights for use."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from raylm.adapters import Adapter
from raylm.config.errors import BadInput
from raylm.engine.parallel import shared_weights

_SHOWN = 20


def put_on(model: PreTrainedModel, adapter: Adapter, fresh: Sequence[str]) -> Any:
    """Freeze a model and add an adapter's layers to it, in place; return peft's view of it.

    Args:
        model: to be adapted.
        adapter: which layers, of what rank.
        fresh: modules that have no pretrained weights, and are trained whole.

    Raises:
        BadInput: no layer answers to the adapter's names; lists those there are.
    """
    from peft import get_peft_model, prepare_model_for_kbit_training

    check_targets(model, adapter)
    if adapter.is_quantized:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    with warnings.catch_warnings():  # peft asks transformers by names that transformers is about to give up
        warnings.simplefilter("ignore", FutureWarning)
        warnings.filterwarnings("ignore", "Model with `tie_word_embeddings", UserWarning)  # seen to above
        return get_peft_model(model, adapter.settings(fresh))


def check_targets(model: nn.Module, adapter: Adapter) -> None:
    """Refuse target modules that match nothing, and those that share their weights with another layer.

    Raises:
        BadInput: lists the layers that there are, or says which ones share theirs.
    """
    targets = getattr(adapter, "target_modules", "all-linear")
    if isinstance(targets, str):
        return
    layers = _layers(model)
    missing = [each for each in targets if not any(_ends_in(name, each) for name in layers)]
    if missing:
        ends = sorted({name.rpartition(".")[2] for name in layers})
        listed = ", ".join(ends[:_SHOWN]) + (", ..." if len(ends) > _SHOWN else "")
        message = f"no linear or embedding layer is called {', '.join(missing)}"
        raise BadInput.one("adapter.target_modules", message, f"there are {listed}", code="target_modules")
    shared = shared_weights(model)
    matched = [name for name, part in layers.items() if part.weight in shared]
    tied = sorted({each for each in targets if any(_ends_in(name, each) for name in matched)})
    if tied:
        # Merged, the product of one place would be in the other one too.
        message = f"{', '.join(tied)} shares its weights with another layer"
        raise BadInput.one("adapter.target_modules", message, "leave it out", code="target_modules")


def _layers(model: nn.Module) -> dict[str, Any]:
    """Return the layers that can have an adapter, by name."""
    from transformers.pytorch_utils import Conv1D

    kinds = nn.Linear | Conv1D | nn.Embedding
    return {name: part for name, part in model.named_modules() if isinstance(part, kinds)}


def _ends_in(name: str, end: str) -> bool:
    return name == end or name.endswith(f".{end}")


def merged(adapted: Any) -> PreTrainedModel:
    """Return the model with its adapter's product added to the weights, and no adapter any more."""
    return adapted.merge_and_unload()


def save_apart(adapted: Any, folder: Path) -> None:
    """Write the adapter as peft's `PeftModel.from_pretrained` reads it, and in `base` what it goes on."""
    for config in adapted.peft_config.values():
        config.base_model_name_or_path = "base"
    # What is trained whole goes with the adapter in any case, and embeddings, resized or not, are in `base`.
    # Left to choose, peft would ask the hub for the vocabulary of a model called "base".
    adapted.save_pretrained(folder, save_embedding_layers=False)
    adapted.unload().save_pretrained(folder / "base")
