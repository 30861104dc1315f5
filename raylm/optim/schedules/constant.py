"""The peak, held to the end."""

from typing import Literal

from raylm.optim.schedules import Schedule


class Constant(Schedule):
    """Constant after the warm-up."""

    kind: Literal["constant"] = "constant"

    def decay(self, progress: float) -> float:
        del progress
        return 1.0
