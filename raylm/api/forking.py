"""Going on from a checkpoint as another run, started in the same breath."""

from __future__ import annotations

from collections.abc import Iterable

from raylm.api.continuing import check_same_model
from raylm.api.launch import resume
from raylm.api.provenance import header_of
from raylm.config.errors import BadInput, RunFailed
from raylm.recipe import Recipe
from raylm.runs.folder import Folder
from raylm.runs.fork import delete, fork
from raylm.runs.names import check_run_name
from raylm.runs.run import AlreadyLaunched, Run


def start_fork(parent: Run, step: int, run_id: str, overrides: Iterable[str] = ()) -> tuple[Run, bool]:
    """Fork a run at a checkpoint and start the fork in the background, the way its parent was launched.

    Asked again with the same id it starts nothing; a fork that cannot be started is taken away again.

    Returns:
        The fork, and whether this call started it.

    Raises:
        BadInput: There is no such checkpoint, a field does not fit, or the id is another run's.
        RunFailed: The cluster took no job.
    """
    check_run_name(run_id, "run_id")
    child = _made_before(parent, step, run_id)
    if child is not None and child.launches():
        return child, False
    if child is None:
        told = parent.recipe_yaml()
        recipe = Recipe.from_yaml(told, overrides)
        check_same_model(Recipe.from_yaml(told), recipe, step)
        child = fork(parent, step, run_id=run_id, recipe_yaml=recipe.to_yaml(), header=header_of(recipe))
    try:
        resume(child, address=_address(parent), in_background=True)
    except AlreadyLaunched:
        return child, False
    except (BadInput, RunFailed):
        if not child.launches():
            delete(child)
        raise
    return child, True


def _made_before(parent: Run, step: int, run_id: str) -> Run | None:
    """Return this very fork where it was made before.

    Raises:
        BadInput: The id is another run's.
    """
    if not Folder.open(parent.storage).exists(f"{run_id}/run.json"):
        return None
    child = Run.open(parent.storage, run_id)
    origin = child.header().get("parent") or {}
    if (origin.get("uri"), origin.get("step")) == (parent.uri, step):
        return child
    raise BadInput.one(
        "run_id", f"run {run_id} exists in {parent.storage}", "choose another name", code="run_exists"
    )


def _address(parent: Run) -> str | None:
    """Return the cluster that took the parent's last launch as a job."""
    last = (parent.launches() or [{}])[-1]
    return last.get("address") if last.get("how") == "job" else None
