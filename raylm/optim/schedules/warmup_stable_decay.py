"""The peak held for most of the run, then a short linear decay (Hu et al. 2024, MiniCPM, section 4)."""

from typing import Literal

from raylm.config.sections import knob
from raylm.optim.schedules import Schedule


class WarmupStableDecay(Schedule):
    """Warm-up, stable, decay."""

    kind: Literal["warmup_stable_decay"] = "warmup_stable_decay"
    decay_share: float = knob(0.1, gt=0, le=1)
    """Share of the steps after the warm-up in which the rate falls."""

    def decay(self, progress: float) -> float:
        return min(1.0, (1 - progress) / self.decay_share)
