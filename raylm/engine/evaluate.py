"""The loss over the whole validation split."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from raylm.data.shards import Dataset
from raylm.engine.feed import Feed, feed_over
from raylm.engine.parallel import reshard
from raylm.engine.step import to_device
from raylm.engine.world import World
from raylm.recipe import Recipe


@dataclass(frozen=True)
class Evaluator:
    """Evaluates on every row of a split, each once, spread over the processes."""

    module: nn.Module
    feed: Feed
    world: World
    num_rows: int
    num_bytes: int  # UTF-8 bytes of the split's text

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return `eval/loss` (nats per target), each loss by name where there are several, and what it makes.

        That is `eval/perplexity` of one loss, and `eval/bits_per_byte` where the loss is the whole text's
        likelihood. An empty split gives nothing.
        """
        if not self.num_rows:
            return {}
        self.module.eval()
        objective = self.feed.objective
        weights = objective.weights()
        totals = dict.fromkeys(weights, 0.0)
        counts = dict.fromkeys(weights, 0.0)
        size = self.feed.micro_batch_size
        # Sharded weights are gathered in every forward pass, so all processes make the same number of passes;
        # one that has run out of rows repeats its last batch and does not count it.
        for first in range(
            self.world.rank * size, self._rounded(size * self.world.size), size * self.world.size
        ):
            start = min(first, self.num_rows - 1)
            batch = self.feed.batch(start, min(size, self.num_rows - start))
            _, sums = self.module(to_device(batch, self.world.device), dict.fromkeys(weights, 0.0))
            if first < self.num_rows:
                for name, count in objective.counts(batch).items():
                    totals[name] += sums[name].item()
                    counts[name] += count
        reshard(self.module)
        self.module.train()
        summed = self.world.sum([*totals.values(), *counts.values()])
        return self._metrics(
            dict(zip(weights, summed, strict=False)), dict(zip(weights, summed[len(weights) :], strict=True))
        )

    def _rounded(self, multiple: int) -> int:
        return -(-self.num_rows // multiple) * multiple

    def _metrics(self, totals: dict[str, float], counts: dict[str, float]) -> dict[str, float]:
        objective = self.feed.objective
        losses = {name: totals[name] / max(1.0, counts[name]) for name in totals}
        metrics = named_losses("eval", losses, objective.weights())
        if len(losses) == 1 and objective.predicts_tokens:
            metrics["eval/perplexity"] = math.exp(min(metrics["eval/loss"], 700.0))
        if objective.is_likelihood:
            metrics["eval/bits_per_byte"] = sum(totals.values()) / math.log(2) / max(1, self.num_bytes)
        return metrics


def evaluator_of(recipe: Recipe, dataset: Dataset, module: nn.Module, world: World) -> Evaluator:
    """Return what evaluates a module on a dataset's validation split."""
    feed, num_rows = feed_over(recipe, dataset, "validation", world)
    return Evaluator(module, feed, world, num_rows, dataset.splits["validation"].num_bytes)


def named_losses(split: str, losses: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weighted sum of losses as `<split>/loss`, and each by its name where there are several."""
    total = {f"{split}/loss": sum(weights[name] * value for name, value in losses.items())}
    if len(losses) == 1:
        return total
    return total | {f"{split}/{name}": value for name, value in losses.items()}
