"""Pretrain and fine-tune language models on a Ray cluster: launch, watch, stop, resume, export."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raylm.api.evaluate import evaluate
    from raylm.api.launch import submit, train
    from raylm.recipe import Recipe
    from raylm.runs.catalogue import attach, list_runs
    from raylm.widgets import cockpit

__version__ = "0.1.0"
__all__ = ["Recipe", "attach", "cockpit", "evaluate", "list_runs", "submit", "train"]

_HOMES = {
    "Recipe": "raylm.recipe",
    "attach": "raylm.runs.catalogue",
    "cockpit": "raylm.widgets",
    "evaluate": "raylm.api.evaluate",
    "list_runs": "raylm.runs.catalogue",
    "submit": "raylm.api.launch",
    "train": "raylm.api.launch",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use (PEP 562), so that `import raylm` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def load_ipython_extension(shell: Any) -> None:
    """Add `%raylm` and `%%raylm submit` to a notebook's kernel: `%load_ext raylm`."""
    importlib.import_module("raylm.widgets.magics").register(shell)
