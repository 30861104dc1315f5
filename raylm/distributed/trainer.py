"""Ray Train's trainer, as lean as this project needs it. The one module that imports ray at its top.

Ray's TorchTrainer imports torch into the driver, the controller and their helpers: a second of CPU time each,
before the workers begin. Here only the workers do. The trainer is Ray's DataParallelTrainer, and the workers
form torch's process group themselves, from what Ray tells each of its rank.
"""

from __future__ import annotations

import os
import socket
from typing import Any

import ray.train
import ray.util
from ray.train.backend import Backend, BackendConfig
from ray.train.collective import broadcast_from_rank_zero
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

from raylm.distributed.worker import work

# Actors that Ray starts for every run and that this one has no use for: it reads no Ray datasets, and its
# placement group ends with its driver. Each would import Ray Train while the workers wait for a core.
UNUSED_CALLBACKS = ("DatasetsCallback", "PlacementGroupCleanerCallback")


class SharedGpus(Backend):
    """Sets nothing up but the GPUs that a worker sees: its neighbours' too, as NCCL wants it."""

    share_cuda_visible_devices = True


class SharedGpusConfig(BackendConfig):
    """Names the backend."""

    @property
    def backend_cls(self) -> type[Backend]:
        """The backend of every worker."""
        return SharedGpus


class LeanTrainer(DataParallelTrainer):
    """Runs a function in a worker group, with no actor that it does not need."""

    def _create_default_callbacks(self) -> list[Any]:
        callbacks = super()._create_default_callbacks()
        return [each for each in callbacks if type(each).__name__ not in UNUSED_CALLBACKS]


def ray_work(values: dict[str, Any]) -> dict[str, Any]:
    """Tell torch what Ray knows of this worker, in the environment as torchrun does, and train."""
    context = ray.train.get_context()
    address, port = broadcast_from_rank_zero(_meeting_point())
    os.environ.update(
        RANK=str(context.get_world_rank()),
        WORLD_SIZE=str(context.get_world_size()),
        LOCAL_RANK=str(context.get_local_rank()),
        LOCAL_WORLD_SIZE=str(context.get_local_world_size()),
        NODE_RANK=str(context.get_node_rank()),
        MASTER_ADDR=address,
        MASTER_PORT=str(port),
    )
    return work(values)


def _meeting_point() -> tuple[str, int]:
    """Return an address of this worker's node and a free port on it; rank 0's is where all meet."""
    address = ray.util.get_node_ip_address()
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.bind((address, 0))
        return address, probe.getsockname()[1]
