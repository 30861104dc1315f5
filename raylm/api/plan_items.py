"""A plan as labels and texts, in the order in which a person asks for them."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from raylm.planning import Plan
from raylm.runs.summary import size_text


def plan_items(plan: Plan) -> list[dict[str, str]]:
    """Return {"label", "value"} of each number that is known; what is not is left out."""
    planned = asdict(plan)
    known = [(label, show, planned.get(name)) for name, label, show in _ITEMS]
    return [{"label": label, "value": show(value)} for label, show, value in known if value is not None]


def _rounded(value: float) -> str:
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:,.0f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"about {hours} h {minutes} min"
    return f"about {minutes} min" if minutes else f"about {rest} s"


_ITEMS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("parameters", "Parameters", _rounded),
    ("trained_parameters", "Trained of them", _rounded),
    ("tokens", "Tokens", _rounded),
    ("steps", "Steps", lambda value: f"{value:,}"),
    ("memory_bytes", "Memory a worker", size_text),
    ("seconds", "Time", _duration),
)
