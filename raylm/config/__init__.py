"""The ground floor: sections, choices, YAML and errors. Imports nothing of raylm and no torch."""

from raylm.config.choice import Choice, discover, discover_entry_points, load_plugin
from raylm.config.errors import BadInput, Problem, RunFailed
from raylm.config.placement import Node
from raylm.config.sections import (
    CheckpointSection,
    EvaluateSection,
    ScalingSection,
    Section,
    TrainSection,
    knob,
)
from raylm.config.yaml import dump_yaml, load_yaml, parse_value

__all__ = [
    "BadInput",
    "CheckpointSection",
    "Choice",
    "EvaluateSection",
    "Node",
    "Problem",
    "RunFailed",
    "ScalingSection",
    "Section",
    "TrainSection",
    "discover",
    "discover_entry_points",
    "dump_yaml",
    "knob",
    "load_plugin",
    "load_yaml",
    "parse_value",
]
