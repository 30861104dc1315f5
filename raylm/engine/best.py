"""The best evaluation so far: when a run may stop early, and which checkpoint stays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple


class Best(NamedTuple):
    """What a run has reached; it stands in each checkpoint, so that a resumed run goes on counting."""

    value: float | None = None
    step: int = 0
    num_worse: int = 0
    """Evaluations since the best one."""

    def after(self, metrics: Mapping[str, float], name: str, step: int, *, is_lower_better: bool) -> Best:
        """Return what holds after an evaluation; without that metric, nothing changes."""
        value = metrics.get(name)
        if value is None:
            return self
        sign = -1 if is_lower_better else 1
        is_better = not math.isnan(value) and (self.value is None or sign * value > sign * self.value)
        return Best(value, step) if is_better else self._replace(num_worse=self.num_worse + 1)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Best:
        """Return what a checkpoint's manifest says."""
        return cls(**facts.get("best", {}))
