"""What a person sees in a notebook: panels over the store, and the cockpit that holds them in tabs."""

from raylm.widgets.cockpit import Cockpit, cockpit
from raylm.widgets.panels import Panel, panels
from raylm.widgets.panels.checkpoints import Checkpoints
from raylm.widgets.panels.cluster import Cluster
from raylm.widgets.panels.data import Data
from raylm.widgets.panels.launch import Launch
from raylm.widgets.panels.monitor import Monitor
from raylm.widgets.panels.playground import Playground

__all__ = [
    "Checkpoints",
    "Cluster",
    "Cockpit",
    "Data",
    "Launch",
    "Monitor",
    "Panel",
    "Playground",
    "cockpit",
    "panels",
]
