"""What a run's record says of the software that starts it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from typing import Any

from raylm.recipe import Recipe

PACKAGES = ("raylm", "torch", "transformers", "tokenizers", "ray", "numpy", "peft")


def header_of(recipe: Recipe) -> dict[str, Any]:
    """Return what run.json says of the recipe and of the software that starts it."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES if _is_installed(name)}
    return {
        "name": recipe.name,
        "recipe_digest": recipe.digest(),
        "git": _git_commit(),
        "python": platform.python_version(),
        "packages": versions,
        "threads": recipe.scaling.threads_per_worker,
        "cpu_count": os.cpu_count(),
    }


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _git_commit() -> str | None:
    """Return the commit checked out where the person works, or None outside a checkout."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - whichever git the person uses
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
