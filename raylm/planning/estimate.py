"""What a run will cost: size, steps, tokens, memory, arithmetic and, where past runs tell it, time."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from raylm.data.prepare import Prepared
from raylm.planning.memory import FORMULA, estimate_memory
from raylm.planning.prepared import count_rows, prepared_data
from raylm.planning.speed import past_speed
from raylm.planning.trained import trained_parameters
from raylm.planning.vocabulary import expected_vocab_size
from raylm.recipe import Recipe


@dataclass(frozen=True)
class Plan:
    """Figures of a run before it starts; what cannot be known yet is None, never guessed."""

    vocab_size: int | None = None
    parameters: int | None = None
    trained_parameters: int | None = None
    """Those that are trained, where that is not all: of an adapter, or with frozen layers."""
    sizes: dict[str, int] | None = None
    """Parameters of the family's sizes by name, with this vocabulary and sequence length."""
    steps: int | None = None
    tokens: int | None = None
    tokens_per_step: int | None = None
    micro_batch_size: int | None = None
    gradient_accumulation_steps: int | None = None
    train_tokens: int | None = None
    """Tokens of the training split, once the data is prepared."""
    train_rows: int | None = None
    """Sequences of the training split, once the data is prepared on this machine."""
    epochs: float | None = None
    memory_bytes: int | None = None
    """Memory of one worker; see `memory_formula`."""
    memory_formula: str | None = None
    checkpoint_bytes: int | None = None
    flops: float | None = None
    """FLOPs of forward and backward over all tokens."""
    seconds: float | None = None
    seconds_from: str | None = None
    """The run id of the past run whose speed `seconds` was computed from."""

    def to_json(self) -> dict[str, Any]:
        """Return the figures that are known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def plan(recipe: Recipe, storage: str | None = None) -> Plan:
    """Return the figures of a recipe; `storage` is where prepared data and past runs are looked for.

    Figures depend on what is there: a vocabulary that is learned from the text is known once the text can be
    read, epochs once the data is prepared, time once a similar run was made on this machine.
    """
    prepared = prepared_data(recipe, storage)
    vocab_size = expected_vocab_size(recipe, None if prepared is None else prepared.index)
    figures = _lengths(recipe, prepared) | _sizes(recipe, vocab_size)
    return Plan(**figures, **_costs(recipe, figures, None if storage is None else [storage]))


def _lengths(recipe: Recipe, prepared: Prepared | None) -> dict[str, Any]:
    """Return steps and tokens, and what they are as passes over the prepared data."""
    train, world_size = recipe.train, max(1, recipe.scaling.num_workers)
    micro_batch = train.micro_batch(world_size)
    figures: dict[str, Any] = {
        "tokens_per_step": train.tokens_per_step,
        "micro_batch_size": micro_batch,
        "gradient_accumulation_steps": train.global_batch_size // world_size // micro_batch,
    }
    num_rows = None if prepared is None else count_rows(recipe, prepared)
    if prepared is not None:
        figures |= {"train_tokens": prepared.index.splits["train"].num_tokens, "train_rows": num_rows}
    if train.epochs is None or num_rows is not None:
        steps = train.num_steps(num_rows or 0)
        figures |= {"steps": steps, "tokens": steps * train.tokens_per_step}
        figures["epochs"] = steps * train.global_batch_size / num_rows if num_rows else None
    return figures


def _sizes(recipe: Recipe, vocab_size: int | None) -> dict[str, Any]:
    if vocab_size is None:
        return {}
    parameters = recipe.model.num_parameters(vocab_size, recipe.train.sequence_length, recipe.objective.head)
    trained = trained_parameters(recipe, vocab_size)
    memory = estimate_memory(recipe, parameters, trained)
    return {
        "vocab_size": vocab_size,
        "parameters": parameters,
        "trained_parameters": trained,
        "sizes": recipe.model.size_parameters(vocab_size, recipe.train.sequence_length, recipe.objective.head)
        or None,
        "memory_bytes": memory.worker_bytes,
        "memory_formula": FORMULA,
        "checkpoint_bytes": memory.checkpoint_bytes,
    }


def _costs(recipe: Recipe, figures: dict[str, Any], storages: Iterable[str] | None) -> dict[str, Any]:
    vocab_size, tokens = figures.get("vocab_size"), figures.get("tokens")
    if vocab_size is None or tokens is None:
        return {}
    per_token = recipe.model.flops_per_token(vocab_size, recipe.train.sequence_length)
    speed = past_speed(recipe, per_token, storages)
    costs = {"flops": per_token * tokens * recipe.model.reads}
    if speed is None:
        return costs
    return costs | {"seconds": costs["flops"] / speed.flops_per_second, "seconds_from": speed.run_id}
