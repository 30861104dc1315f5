"""One start of training: everything the loop needs, and how the parts work together in a step."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from transformers import PreTrainedModel

from raylm.engine import checkpoint
from raylm.engine.baseline import unigram_entropy
from raylm.engine.best import Best
from raylm.engine.checkpoint import Position
from raylm.engine.device import peak_memory_bytes
from raylm.engine.evaluate import Evaluator, named_losses
from raylm.engine.feed import Feed
from raylm.engine.flops import Flops
from raylm.engine.log import Log
from raylm.engine.orders import OrderDesk, Orders
from raylm.engine.step import Stepper
from raylm.engine.world import World
from raylm.metrics import is_lower_better
from raylm.recipe import Recipe
from raylm.runs.run import Run


@dataclass
class Session:
    """The parts of a run in one process, and how they work together in a step."""

    recipe: Recipe
    run: Run
    world: World
    attempt: int
    model: PreTrainedModel
    optimizer: Optimizer
    stepper: Stepper
    feed: Feed
    evaluator: Evaluator
    desk: OrderDesk
    log: Log
    last_step: int
    decay_steps: int
    peak_flops: float  # of all devices together, FLOP/s
    flops: Flops
    num_rows: int  # of the training split
    facts: dict[str, Any]  # what each checkpoint's manifest says of the data: digest and ledgers
    position: Position = field(default_factory=Position)
    best: Best = field(default_factory=Best)

    def take_step(self, step: int) -> tuple[Orders, dict[str, float]]:
        """Train on the next global batch; return what was asked of all processes, and the step's metrics."""
        start = time.perf_counter()
        batches = self.feed.batches(self.position.cursor)
        loads = self.stepper.weigh(batches, self.desk.signals(step))
        orders = self.desk.read(step, loads.signals)
        peak = orders.learning_rate or self.recipe.optimizer.learning_rate
        learning_rate = self.recipe.schedule.learning_rate(step, peak, self.decay_steps)
        result = self.stepper.step(step, batches, loads, learning_rate)
        self._advance(step, result.num_inputs, result.num_targets)
        seconds = time.perf_counter() - start
        flops = self.flops.of(result.num_inputs, result.num_targets)
        losses = named_losses("train", result.losses, self.recipe.objective.weights())
        return orders, losses | {
            "train/learning_rate": learning_rate,
            "train/grad_norm": result.grad_norm,
            "throughput/tokens_per_second": result.num_inputs / seconds,
            "throughput/mfu": flops / seconds / self.peak_flops,
            "memory/peak_bytes": peak_memory_bytes(self.world.device),
        }

    def _advance(self, step: int, num_inputs: int, num_targets: int) -> None:
        self.position.step = step
        self.position.cursor += self.recipe.train.global_batch_size
        self.position.tokens_seen += num_inputs
        self.position.target_tokens += num_targets

    def is_due(self, every_steps: int | None, step: int) -> bool:
        """Whether something that happens every so many steps happens at this one."""
        return bool(every_steps) and step % every_steps == 0

    def evaluate(self) -> dict[str, float]:
        """Return the metrics of the whole validation split; every process takes part."""
        metrics = self.evaluator.evaluate()
        name = self.recipe.evaluate.metric
        # An objective of several losses names each of them, such as eval/masked.
        is_loss = name.removeprefix("eval/") in self.recipe.objective.weights() or is_lower_better(name)
        self.best = self.best.after(metrics, name, self.position.step, is_lower_better=is_loss)
        entropy = self._unigram_entropy if metrics and self.recipe.objective.predicts_tokens else 0.0
        if not entropy:
            return metrics
        first = next(iter(self.recipe.objective.weights()))
        loss = metrics.get(f"eval/{first}", metrics["eval/loss"])
        return metrics | {"train/unigram_entropy": entropy, "eval/loss_over_entropy": loss / entropy}

    @cached_property
    def _unigram_entropy(self) -> float:
        """The loss of a model that knows only how frequent each target is; rank 0 records it."""
        if not self.world.is_first:
            return 0.0
        return unigram_entropy(self.feed, self.num_rows, self.feed.frame.vocabulary.size)

    @property
    def is_best(self) -> bool:
        """Whether the evaluation at this step is the best so far."""
        return self.best.step == self.position.step

    @property
    def has_lost_patience(self) -> bool:
        """Whether so many evaluations were no better than the best that the run is to end."""
        patience = self.recipe.evaluate.patience
        return patience is not None and self.best.num_worse >= patience

    def tensors(self) -> dict[str, Tensor]:
        """Return what a checkpoint holds, as live tensors."""
        is_adapter = self.recipe.adapter is not None
        return checkpoint.state_tensors(self.model, self.optimizer, only_trained=is_adapter)

    def save(self, metrics: dict[str, float]) -> None:
        """Save a checkpoint of the present position; every process takes part."""
        facts = {**self.facts, "metrics": metrics, "attempt": self.attempt, "best": self.best._asdict()}
        token = f"a{self.attempt}"
        checkpoint.save(self.run.checkpoints, self.position, self.tensors(), self.world, facts, token)
        self.desk.settle(self.position.step)
        self.log.event("checkpoint_saved", step=self.position.step)
        if self.world.is_first:
            kept = {self.best.step} if self.recipe.checkpoint.keep_best else set()
            self.run.checkpoints.retain(self.recipe.checkpoint.keep_last, kept)

    def close(self) -> None:
        """Flush what is written and stop watching the inbox."""
        self.desk.close()
        self.log.close()
