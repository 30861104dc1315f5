"""Plug-ins kept with their run, so that a resume finds them when the person's files have changed or gone."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from raylm.recipe import Recipe
from raylm.runs.run import Run


def keep_plugins(run: Run, recipe: Recipe) -> Recipe:
    """Copy the recipe's plug-ins into the run; return the recipe that names the copies.

    A worker reads them where it reads its run. On an object store the copies are a record only: Python
    imports files, so there the recipe goes on to name the person's own.
    """
    return recipe.model_copy(update={"plugins": tuple(_keep(run, Path(path)) for path in recipe.plugins)})


def _keep(run: Run, plugin: Path) -> str:
    kept = run.folder.local_path("plugins")
    if plugin.parent == kept:
        return str(plugin)
    data = plugin.read_bytes()
    name = f"{plugin.stem}-{sha256(data).hexdigest()[:12]}.py"
    run.folder.write(f"plugins/{name}", data)
    return str(kept / name if kept else plugin)
