"""Before a launch: what would go wrong, and what the run will cost."""

from raylm.planning.checks import preflight
from raylm.planning.estimate import Plan, plan

__all__ = ["Plan", "plan", "preflight"]
