"""The processes that train together, and the few things they ask of each other."""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import distributed as dist

from raylm.config.errors import BadInput

T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """This process among those that train the same model."""

    rank: int
    size: int
    device: torch.device

    @classmethod
    def join(cls, *, use_gpu: bool) -> World:
        """Join the process group that Ray or torchrun has described in the environment, or stand alone."""
        if "RANK" in os.environ and not dist.is_initialized():
            dist.init_process_group("cpu:gloo,cuda:nccl" if use_gpu else "gloo")
        rank, size = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        device = torch.device("cpu")
        if use_gpu:
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(device)
        return cls(rank, size, device)

    def leave(self) -> None:
        """Leave the process group; the world's last act, after which the model is of no use."""
        if dist.is_initialized():
            # A sharded model stands in reference cycles and holds the group: what is left of it when the
            # interpreter ends would take running threads down with it, and abort the process.
            gc.collect()
            dist.barrier()
            dist.destroy_process_group()

    @property
    def is_first(self) -> bool:
        """Whether this process is rank 0, the one that writes."""
        return self.rank == 0

    def sum(self, values: Sequence[float]) -> list[float]:
        """Return the element-wise sums over all processes, in float64, without touching an accelerator."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor)
        return tensor.tolist()

    def from_first(self, value: Any) -> Any:
        """Return rank 0's value in every process."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return box[0]

    def first_does(self, work: Callable[[], T]) -> T:
        """Let rank 0 do what need be done once, such as reading and hashing a file; all get what came of it.

        Raises:
            BadInput: it did, in every process.
        """
        found: Any = None
        if self.is_first:
            try:
                found = work()
            except BadInput as error:
                found = error
        found = self.from_first(found)
        if isinstance(found, BadInput):
            raise found
        return found

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes, in rank order, in every process."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values


def seed_step(seed: int, step: int, rank: int) -> None:
    """Seed every generator as a function of the step.

    Randomness (dropout, say) is derived, never stored: a step draws the same numbers after any number of
    restarts, and a checkpoint needs no generator state.
    """
    mixed = int(np.random.SeedSequence((seed, step, rank)).generate_state(1, np.uint64)[0])
    torch.manual_seed(mixed)
    np.random.seed(mixed % 2**32)
    random.seed(mixed)
