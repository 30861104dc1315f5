"""A process that has only imported what a training needs: the memory that no training can go below."""

import importlib
from collections.abc import Callable
from typing import Any


def run(options: dict[str, Any], tick: Callable[[float], None]) -> None:
    """Import the modules, and then do nothing."""
    for name in options["modules"]:
        importlib.import_module(name)
    while True:
        tick(0)
