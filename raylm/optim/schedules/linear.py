"""A straight line from the peak to the lowest rate (Devlin et al. 2019, appendix A.2)."""

from typing import Literal

from raylm.optim.schedules import Schedule


class Linear(Schedule):
    """Linear decay."""

    kind: Literal["linear"] = "linear"

    def decay(self, progress: float) -> float:
        return 1 - progress
