"""Saving and loading a run's state at any number of processes.

What is saved is the weights and the optimizer's state, under the weights' full names in every strategy, and
what else a model keeps in tensors, as BART does its logits' bias.
All the rest is derived from the step: schedule, data position and random numbers.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed import checkpoint as dcp
from torch.distributed.checkpoint.api import CheckpointException
from torch.optim import Optimizer

from raylm.config.errors import BadInput
from raylm.engine.shards import ShardReader, ShardWriter
from raylm.engine.world import World
from raylm.runs.checkpoints import Checkpoint, Checkpoints
from raylm.runs.folder import Folder
from raylm.runs.fork import starting_checkpoint
from raylm.runs.run import Run

_BUFFER = "buffer."


@dataclass
class Position:
    """How far a run has come; with the recipe it decides everything but the weights."""

    step: int = 0
    cursor: int = 0  # global sample index of the next row
    tokens_seen: int = 0
    target_tokens: int = 0


def save(
    checkpoints: Checkpoints,
    position: Position,
    tensors: Mapping[str, Tensor],
    world: World,
    facts: Mapping[str, Any],
    token: str,
) -> None:
    """Write a checkpoint; every process calls it, and it returns when rank 0 has committed all shards.

    Args:
        checkpoints: The run's checkpoints.
        position: How far the run has come.
        tensors: This process's part of the state, as `state_tensors` gives it.
        world: The processes that save together.
        facts: What else the manifest says: metrics, digests.
        token: A name that all processes share and no other attempt uses.
    """
    folder = checkpoints.staging(position.step, token)
    writer = ShardWriter(folder, world.rank)
    with _plain_errors():
        dcp.state_dict_saver.save(dict(tensors), storage_writer=writer, no_dist=world.size == 1)
    entries = [entry for part in world.gather(writer.entries) for entry in part]
    if world.is_first:
        checkpoints.commit(
            position.step, entries, {**asdict(position), "world_size": world.size, **facts}, token
        )
    world.from_first(None)  # nobody goes on before the commit is durable


def find_start(run: Run, world: World) -> tuple[Checkpoint | None, list[str]]:
    """Return where the run starts and why newer checkpoints were passed over; rank 0 looks for all.

    Raises:
        BadInput: Checkpoints exist and none is good.
    """
    return world.first_does(lambda: starting_checkpoint(run))


def load(folder: Folder, tensors: Mapping[str, Tensor], world: World) -> None:
    """Copy a verified checkpoint into the tensors, in place.

    Raises:
        BadInput: The checkpoint is of another model (a name or a shape differs), or does not hold what its
            index says.
    """
    reader = ShardReader(folder)
    saved = reader.read_metadata().state_dict_metadata
    # Older checkpoints have no buffers: the model keeps those that it was made with.
    tensors = {
        name: tensor for name, tensor in tensors.items() if name in saved or not name.startswith(_BUFFER)
    }
    _check_same_model(saved, tensors)
    with _plain_errors():
        dcp.state_dict_loader.load(dict(tensors), storage_reader=reader, no_dist=world.size == 1)


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """Raise what a reader or writer raised: torch wraps it, by rank, in something that is no Exception.

    Also keeps torch from warning that a process alone saves alone.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
        try:
            yield
        except CheckpointException as error:
            raise next(cause for cause, _ in error.failures.values()) from None


def _check_same_model(saved: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if name not in saved:
            raise BadInput.one(
                "model", f"the checkpoint has no {name}", "use the recipe of the checkpoint's run"
            )
        shape = tuple(getattr(saved[name], "size", ()))
        if shape != tuple(tensor.shape):
            raise BadInput.one(
                "model",
                f"{name} is {shape} in the checkpoint and {tuple(tensor.shape)} in the recipe",
                "use the recipe of the checkpoint's run",
            )


def model_tensors(model: nn.Module, *, only_trained: bool = False) -> dict[str, Tensor]:
    """Return weights and buffers by full name, or the weights that are trained; tied weights appear once."""
    weights = {
        f"model.{name}": weight.detach()
        for name, weight in model.named_parameters()
        if weight.requires_grad or not only_trained
    }
    return weights if only_trained else weights | _buffers(model)


def _buffers(model: nn.Module) -> dict[str, Tensor]:
    """Return what a model keeps beside its weights; what it computes again when it is made is left out."""
    computed = {
        f"{path}.{name}".lstrip(".")
        for path, part in model.named_modules()
        for name in part._non_persistent_buffers_set  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    }
    return {f"{_BUFFER}{name}": buffer for name, buffer in model.named_buffers() if name not in computed}


def state_tensors(model: nn.Module, optimizer: Optimizer, *, only_trained: bool = False) -> dict[str, Tensor]:
    """Return weights and optimizer state by full name. The tensors are the live ones: loading fills them.

    With `only_trained`, weights that are not trained are left out: those beneath an adapter.
    """
    _create_state(optimizer)
    names: dict[Tensor, str] = {weight: name for name, weight in model.named_parameters()}
    state = {
        f"optimizer.{names[weight]}.{key}": value
        for weight, values in optimizer.state.items()
        for key, value in values.items()
        if isinstance(value, Tensor)
    }
    return model_tensors(model, only_trained=only_trained) | state


def _create_state(optimizer: Optimizer) -> None:
    """Let the optimizer allocate what state it has not, by a step of size zero, which changes no weight.

    Between steps no weight has a gradient: what has its state already is not touched.
    """
    without = [
        weight
        for group in optimizer.param_groups
        for weight in group["params"]
        if weight not in optimizer.state
    ]
    if not without:
        return
    rates = [group["lr"] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    for weight in without:
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
