"""One optimizer step: micro-batches, backward, clip, update."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from raylm.config.errors import RunFailed
from raylm.engine.parallel import gradients_stay_local
from raylm.engine.world import World, seed_step
from raylm.objectives import Batch, Objective


class Loads(NamedTuple):
    """What a step holds, over all processes."""

    counts: dict[str, int]  # targets of each named loss
    num_inputs: int  # tokens read, padding left out
    signals: list[float]  # what rank 0 asked of everybody


class StepResult(NamedTuple):
    """What a step did, over all processes."""

    losses: dict[str, float]  # nats per target, by name
    grad_norm: float
    num_inputs: int
    num_targets: int


@dataclass(frozen=True)
class Stepper:
    """Takes optimizer steps; every process calls it at the same step."""

    module: nn.Module
    optimizer: Optimizer
    objective: Objective
    world: World
    max_grad_norm: float
    seed: int

    def weigh(self, batches: Sequence[Batch], signals: Sequence[float]) -> Loads:
        """Add up targets and inputs over micro-batches and processes, in one exchange before backward.

        `signals` are rank 0's orders to all (zeros elsewhere); they ride along, so that all act at one step.
        """
        names = sorted(self.objective.weights())
        counts = [self.objective.counts(batch) for batch in batches]
        local = [float(sum(count[name] for count in counts)) for name in names]
        inputs = float(sum(self.objective.num_inputs(batch) for batch in batches))
        summed = self.world.sum([*local, inputs, *signals])
        totals = {name: int(total) for name, total in zip(names, summed, strict=False)}
        return Loads(totals, int(summed[len(names)]), summed[len(names) + 1 :])

    def step(self, step: int, batches: Sequence[Batch], loads: Loads, learning_rate: float) -> StepResult:
        """Update the weights once from this process's share of the step's rows."""
        if not any(loads.counts.values()):
            raise RunFailed(
                f"step {step}: 0 trainable tokens in the batch",
                "rows are cut off before their answers: raise train.sequence_length",
            )
        seed_step(self.seed, step, self.world.rank)
        sums = self._backward(batches, loads.counts)
        grad_norm = self._clip()
        self._check_finite(step, sums, grad_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate * group.get("rate_share", 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        losses = {name: total / max(1, loads.counts[name]) for name, total in sums.items()}
        weights = self.objective.weights()
        num_targets = sum(count for name, count in loads.counts.items() if weights[name])
        return StepResult(losses, grad_norm, loads.num_inputs, num_targets)

    def _backward(self, batches: Sequence[Batch], counts: dict[str, int]) -> dict[str, float]:
        """Backpropagate every micro-batch; return each loss summed over all of them and all processes."""
        # Gradients are averaged over processes, so each counts world_size times its share of the targets.
        scales = {
            name: weight * self.world.size / max(1, counts[name])
            for name, weight in self.objective.weights().items()
        }
        names = sorted(scales)
        totals = torch.zeros(len(names), dtype=torch.float64, device=self.world.device)
        for i, batch in enumerate(batches):
            with gradients_stay_local(self.module, when=i < len(batches) - 1):
                total, sums = self.module(to_device(batch, self.world.device), scales)
                total.backward()
            totals += torch.stack([sums[name] for name in names])
        return dict(zip(names, self.world.sum(totals.tolist()), strict=True))

    def _clip(self) -> float:
        norm = nn.utils.clip_grad_norm_(self.module.parameters(), self.max_grad_norm)
        whole: Tensor = norm.full_tensor() if hasattr(norm, "full_tensor") else norm  # pyright: ignore
        return whole.item()

    def _check_finite(self, step: int, sums: dict[str, float], grad_norm: float) -> None:
        """Stop before an update would poison the weights."""
        bad = [name for name, total in sums.items() if not math.isfinite(total)]
        if bad or not math.isfinite(grad_norm):
            what = f"{bad[0]} is not a finite number" if bad else "the gradient is not finite"
            raise RunFailed(
                f"step {step}: {what}; the weights were not changed",
                "resume with a lower optimizer.learning_rate or more schedule.warmup_steps",
            )


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Return the batch on the device."""
    return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
