"""Half a cosine from the peak to the lowest rate (Loshchilov and Hutter 2017, without restarts)."""

import math
from typing import Literal

from raylm.optim.schedules import Schedule


class Cosine(Schedule):
    """Cosine decay."""

    kind: Literal["cosine"] = "cosine"

    def decay(self, progress: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * progress))
