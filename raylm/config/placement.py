"""Whether a cluster can place the workers that a recipe asks for."""

from collections.abc import Sequence
from typing import NamedTuple

from raylm.config.errors import Problem


class Node(NamedTuple):
    """One machine of a cluster and what raylm may use of it."""

    name: str
    cpus: float
    gpus: float = 0
    memory_bytes: int = 0


class Demand(NamedTuple):
    """What a run asks of a cluster; `reserved_cpus` are kept for preparing data beside the workers."""

    num_workers: int
    cpus_per_worker: float
    gpus_per_worker: float = 0
    reserved_cpus: float = 0

    def workers_on(self, node: Node) -> int:
        """Return how many workers fit on one node."""
        by_cpu = node.cpus / self.cpus_per_worker if self.cpus_per_worker else float(self.num_workers)
        by_gpu = node.gpus / self.gpus_per_worker if self.gpus_per_worker else float(self.num_workers)
        return int(min(by_cpu, by_gpu, self.num_workers) + 1e-9)  # 0.3 / 0.1 is a little under 3


def placement_problem(demand: Demand, nodes: Sequence[Node]) -> Problem | None:
    """Return why the nodes cannot hold the workers, or None when they can.

    A worker lives on one node; the largest node is named, because a worker larger than it can never start.
    """
    if demand.num_workers == 0:
        return None
    fitting = sum(demand.workers_on(node) for node in nodes)
    if fitting < demand.num_workers:
        return _too_few(demand, nodes, fitting)
    spare = sum(node.cpus for node in nodes) - demand.num_workers * demand.cpus_per_worker
    if spare < demand.reserved_cpus:
        message = f"{demand.num_workers} workers take every CPU"
        return Problem(
            "scaling.num_workers", message, f"keep {demand.reserved_cpus:g} CPU for data", code="placement"
        )
    return None


def _too_few(demand: Demand, nodes: Sequence[Node], fitting: int) -> Problem:
    if demand.gpus_per_worker and not any(node.gpus for node in nodes):
        message = f"{demand.gpus_per_worker:g} asked, the cluster has no GPU"
        return Problem("scaling.gpus_per_worker", message, "use scaling.gpus_per_worker=0", code="placement")
    message = f"{_asked(demand)} asked, the cluster has {_offered(demand, nodes)}"
    if fitting:
        return Problem("scaling.num_workers", message, f"use {fitting}", code="placement")
    mend = "ask for less per worker, so that one fits on a node" if nodes else "start a node"
    return Problem("scaling.cpus_per_worker", message, mend, code="placement")


def _asked(demand: Demand) -> str:
    noun = "worker" if demand.num_workers == 1 else "workers"
    return f"{demand.num_workers} {noun} x {_amount(demand.cpus_per_worker, demand.gpus_per_worker)}"


def _offered(demand: Demand, nodes: Sequence[Node]) -> str:
    if not nodes:
        return "no node"
    gpus = sum(node.gpus for node in nodes) if demand.gpus_per_worker else 0
    total = _amount(sum(node.cpus for node in nodes), gpus)
    largest = max(nodes, key=lambda node: (demand.workers_on(node), node.gpus, node.cpus))
    holds = _amount(largest.cpus, largest.gpus if demand.gpus_per_worker else 0)
    return f"{total} on {len(nodes)} node{'s'[: len(nodes) > 1]} (largest: {largest.name} with {holds})"


def _amount(cpus: float, gpus: float) -> str:
    parts = [f"{count:g} {noun}{'s'[: count > 1]}" for count, noun in ((cpus, "CPU"), (gpus, "GPU")) if count]
    return " + ".join(parts) or "0 CPU"
