"""What a learning-rate schedule is; every other file here is one schedule.

A schedule is a pure function of the step, so there is no state to save: the rate of step 1000 is the same
after any number of restarts.
"""

from __future__ import annotations

from abc import abstractmethod

from raylm.config.choice import Choice
from raylm.config.sections import knob


class Schedule(Choice):
    """How the learning rate moves over the run."""

    warmup_steps: int = knob(0, ge=0, unit="steps")
    """Steps over which the learning rate rises linearly to its peak."""
    decay_steps: int | None = knob(None, ge=1, unit="steps", advanced=True)
    """Step at which the decay ends. Unset: the run's last step, fixed at first launch."""
    min_learning_rate: float = knob(0.0, ge=0)
    """Learning rate at the end of the decay and after it."""

    def learning_rate(self, step: int, peak: float, decay_steps: int) -> float:
        """Return the learning rate of a step.

        Args:
            step: The optimizer step, counted from 1.
            peak: The optimizer's learning rate.
            decay_steps: The step at which the decay ends.
        """
        if step <= self.warmup_steps:
            return peak * step / (self.warmup_steps + 1)
        progress = (step - 1 - self.warmup_steps) / max(1, decay_steps - self.warmup_steps)
        return self.min_learning_rate + (peak - self.min_learning_rate) * self.decay(min(1.0, progress))

    @abstractmethod
    def decay(self, progress: float) -> float:
        """Return how far above the lowest rate (1: the peak), after the share `progress` of the decay."""
