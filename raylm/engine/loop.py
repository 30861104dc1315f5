"""The training loop."""

from __future__ import annotations

from typing import NamedTuple

from raylm.engine.session import Session


class Outcome(NamedTuple):
    """How a start of the training loop ended."""

    status: str  # finished, stopped or preempted
    step: int
    reason: str


def train(session: Session) -> Outcome:
    """Train until the recipe's limit, its target loss or an order to stop; every process calls it."""
    for step in range(session.position.step + 1, session.last_step + 1):
        orders, metrics = session.take_step(step)
        if step == session.last_step or session.is_due(session.recipe.evaluate.every_steps, step):
            metrics |= session.evaluate()
        session.log.record(session.position, metrics)
        outcome = _ending(session, step, orders.ending, metrics)
        if outcome or orders.wants_checkpoint or _wants_checkpoint(session, step):
            session.save(metrics)
        if outcome:
            return outcome
    return Outcome("finished", session.position.step, f"step {session.last_step} was reached before")


def _wants_checkpoint(session: Session, step: int) -> bool:
    section = session.recipe.checkpoint
    return session.is_due(section.every_steps, step) or (section.keep_best and session.is_best)


def _ending(session: Session, step: int, ordered: str, metrics: dict[str, float]) -> Outcome | None:
    """Return how the run ends after this step, or None when it goes on."""
    loss, target = metrics.get("eval/loss"), session.recipe.train.target_loss
    if loss is not None and target is not None and loss <= target:
        return Outcome("finished", step, f"eval/loss {loss:.4f} reached the target {target} at step {step}")
    if step == session.last_step:
        return Outcome("finished", step, f"reached step {step}")
    if session.has_lost_patience:
        best, metric = session.best, session.recipe.evaluate.metric
        reason = (
            f"{metric} was best at step {best.step} ({best.value:.4f}) and {best.num_worse} times no better"
        )
        return Outcome("finished", step, reason)
    return Outcome(ordered, step, f"{ordered} on request at step {step}") if ordered else None
