"""One training step's numbers, and their line in the metrics file."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What one optimizer step measured; `metrics` is keyed like `train/loss`."""

    step: int
    """Optimizer steps done, counted from 1."""
    attempt: int
    """Start of the worker group that wrote it, counted from 1."""
    tokens_seen: int
    """Non-padding inputs over all workers, since the start of the run."""
    time: float
    """Seconds since 1970."""
    metrics: dict[str, float] = field(default_factory=dict)

    def to_line(self) -> bytes:
        """Return one line of JSON that a browser reads.

        JSON has no NaN: such a value becomes null, and `nonfinite` says which it was.
        """
        values = {
            "step": self.step,
            "attempt": self.attempt,
            "tokens_seen": self.tokens_seen,
            "time": self.time,
            **self.metrics,
        }
        try:
            return _encode(values).encode() + b"\n"
        except ValueError:
            return _encode(_without_nan(values)).encode() + b"\n"

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "StepRecord":
        """Return the record of a parsed line, NaN and infinities restored."""
        lost = values.get("nonfinite") or {}
        metrics = {
            key: number for key in values if "/" in key and (number := metric(values, key, lost)) is not None
        }
        return cls(values["step"], values["attempt"], values["tokens_seen"], values["time"], metrics)


def metric(values: dict[str, Any], key: str, lost: dict[str, str] | None = None) -> float | None:
    """Return a parsed line's value of one metric, as a float; None where the line has none."""
    value = values.get(key)
    if value is None:
        word = (values.get("nonfinite") or {} if lost is None else lost).get(key)
        return None if word is None else float(word)
    return float(value)


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    lost = {
        key: str(value)
        for key, value in values.items()
        if isinstance(value, float) and not math.isfinite(value)
    }
    return {key: None if key in lost else value for key, value in values.items()} | {"nonfinite": lost}
