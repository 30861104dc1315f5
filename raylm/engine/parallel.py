"""One module that holds model and objective, and the ways to spread it over processes."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.nn.parallel import DistributedDataParallel
from transformers import PreTrainedModel

from raylm.engine.world import World
from raylm.objectives import Batch, Objective


class LossModule(nn.Module):
    """Model and objective as one module: a batch in, one scaled loss and the raw sums out."""

    def __init__(self, model: PreTrainedModel, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, batch: Batch, scales: Mapping[str, float]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return sum(scale x loss sum) for backward, and each loss sum detached."""
        sums = self.objective.loss(self.model, batch)
        total = sum((scales[name] * value for name, value in sums.items()), start=torch.zeros(()))
        return total, {name: value.detach() for name, value in sums.items()}


class BFloat16Compute(nn.Module):
    """Computes in bfloat16 with float32 master weights.

    The weights are cast once a forward pass and gradients arrive in float32. Unlike autocast nothing is cast
    operator by operator, and activations keep half the memory; it is what FSDP2's mixed precision does.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: Any) -> Any:
        """Run the module on bfloat16 copies of its weights."""
        halved = {
            name: weight.to(torch.bfloat16)
            for name, weight in self.module.named_parameters()
            if weight.is_floating_point()  # quantized ones are whole numbers
        }
        return torch.func.functional_call(self.module, halved, args)


def spread(
    module: LossModule, world: World, strategy: str, precision: str, *, is_adapted: bool = False
) -> nn.Module:
    """Return the module made ready for its world: sharded (FSDP2), replicated (DDP) or as it is.

    Weights beneath an adapter are neither updated nor saved: in bfloat16 they need no float32 original.
    """
    is_half = precision == "bfloat16"
    if strategy == "fsdp" and world.size > 1:
        return _shard(module, world, is_half=is_half)  # moves block by block: no device need hold the whole
    module.to(world.device)
    if is_half and is_adapted:
        _halve_frozen(module)
    ready: nn.Module = BFloat16Compute(module) if is_half else module
    if world.size == 1:
        return ready
    return DistributedDataParallel(ready, gradient_as_bucket_view=True)


def _halve_frozen(module: nn.Module) -> None:
    for weight in module.parameters():
        if not weight.requires_grad and weight.is_floating_point():
            weight.data = weight.data.to(torch.bfloat16)


def _shard(module: LossModule, world: World, *, is_half: bool) -> nn.Module:
    mesh = init_device_mesh(world.device.type, (world.size,))
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    options: dict[str, Any] = {"mesh": mesh, "mp_policy": policy if is_half else MixedPrecisionPolicy()}
    # transformers' own list of the blocks that belong together.
    blocks = set(module.model._no_split_modules or ())  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    tied = shared_weights(module)  # they belong to the root, which holds every place
    for part in module.model.modules():
        if type(part).__name__ in blocks and tied.isdisjoint(part.parameters()):
            fully_shard(part, **options)
    fully_shard(module, **options)
    return module


def shared_weights(module: nn.Module) -> set[nn.Parameter]:
    """Return the weights that stand in several places, as embeddings that are also the head's do."""
    counts = Counter(weight for _, weight in module.named_parameters(remove_duplicate=False))
    return {weight for weight, count in counts.items() if count > 1}


def reshard(module: nn.Module) -> None:
    """Give gathered weights back after a forward pass that no backward follows; a no-op without FSDP."""
    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.reshard()


@contextlib.contextmanager
def gradients_stay_local(module: nn.Module, *, when: bool) -> Iterator[None]:
    """Within this block, when asked, backward adds up gradients without exchanging them."""
    if isinstance(module, FSDPModule):
        module.set_requires_gradient_sync(not when)
        yield
        return
    with (
        module.no_sync() if when and isinstance(module, DistributedDataParallel) else contextlib.nullcontext()
    ):
        yield
