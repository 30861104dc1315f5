"""Runs that come from runs: forking one at a checkpoint, where a run starts, and deleting without orphans."""

import contextlib
from typing import Any

from raylm.config.errors import BadInput
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.folder import Folder
from raylm.runs.manifest import Corrupt
from raylm.runs.names import make_run_id
from raylm.runs.retention import pin, unpin
from raylm.runs.run import Run


def fork(
    run: Run,
    step: int | None = None,
    *,
    run_id: str | None = None,
    recipe_yaml: str | None = None,
    header: dict[str, Any] | None = None,
) -> Run:
    """Make a new run that continues at `step` of this one, by default at its newest good checkpoint.

    The checkpoint is pinned in the parent for as long as the fork lives. The fork is not launched; its
    recipe is the parent's unless `recipe_yaml` is given. `header` adds to its run.json.

    Raises:
        BadInput: there is no such checkpoint, it is damaged, or the new id is taken.
    """
    checkpoint = good_checkpoint(run, step)
    recipe_yaml = run.recipe_yaml() if recipe_yaml is None else recipe_yaml
    child_id = run_id or make_run_id(run.name)
    parent = {"uri": run.uri, "step": checkpoint.step, "digest": checkpoint.digest}
    taken = {"name": run.name, "access": run.header().get("access", "private"), "parent": parent}
    # Pinned first: between two steps a crash may leave a pin too many, never a fork without its parent.
    pin(run.folder, child_id, f"{run.storage}/{child_id}", checkpoint.step)
    try:
        child = Run.create(run.storage, child_id, {**taken, **(header or {})})
    except BadInput as error:
        if error.problems[0].code != "run_exists":
            unpin(run.folder, child_id)
        raise
    child.folder.write("launches/0.yaml", recipe_yaml.encode())
    return child


def starting_checkpoint(run: Run) -> tuple[Checkpoint | None, list[str]]:
    """Return where a launch of the run starts, and why each newer checkpoint was passed over.

    That is its own newest good checkpoint, else for a fork the parent's; None means step 0.

    Raises:
        BadInput: checkpoints exist and none is good; a run never begins again from zero by itself.
    """
    checkpoint, reasons = run.checkpoints.latest_good()
    if checkpoint is not None:
        return checkpoint, reasons
    if reasons:
        mend = "restore one of them, or start a new run"
        raise BadInput.one(
            "run", f"no checkpoint of {run.run_id} is good: {'; '.join(reasons)}", mend, code="all_bad"
        )
    parent = run.header().get("parent")
    if not parent:
        return None, []
    return _parents_checkpoint(parent), []


def delete(run: Run) -> None:
    """Delete a run with all its files.

    Raises:
        BadInput: it is live, or forks stand on its checkpoints; names them.
    """
    status = run.status()
    if status.is_live:
        mend = f"stop it first: raylm runs stop {run.run_id}"
        raise BadInput.one("run", f"{run.run_id} is {status.status}", mend, code="live")
    children = sorted(child for names in run.checkpoints.pins().values() for child in names)
    if children:
        mend = f"delete them first: {', '.join(children)}"
        raise BadInput.one("run", f"{len(children)} runs stand on {run.run_id}", mend, code="pinned")
    parents = _parents_of(run)
    _remove(run)
    for parent in parents:
        unpin(parent.folder, run.run_id)


def stand_on(parent: Run, step: int, child_uri: str) -> dict[str, Any]:
    """Pin the checkpoint that another run begins with; return what the child's run.json says of it.

    Raises:
        BadInput: there is no such checkpoint, or it is damaged.
    """
    checkpoint = good_checkpoint(parent, step, deep=False)  # whoever reads the weights verifies them
    pin(parent.folder, child_uri.rpartition("/")[2], child_uri, step)
    return {"uri": parent.uri, "step": step, "digest": checkpoint.digest}


def let_go(parent: Run, child_id: str) -> None:
    """Take the pin of a run away that was not made after all."""
    unpin(parent.folder, child_id)


def good_checkpoint(run: Run, step: int | None, *, deep: bool = True) -> Checkpoint:
    """Return a checkpoint of a run, its newest good one when no step is given.

    Every byte is verified; without `deep`, only that all files are there and of the right size.

    Raises:
        BadInput: there is no such checkpoint, or it is damaged.
    """
    if step is None:
        checkpoint, reasons = run.checkpoints.latest_good(deep=deep)
        if checkpoint is None:
            why = "; ".join(reasons) or "it has none"
            raise BadInput.one("run", f"{run.run_id} has no good checkpoint: {why}", code="no_step")
        return checkpoint
    if step not in run.checkpoints.steps():
        mend = f"there are: {run.checkpoints.steps()}"
        raise BadInput.one("step", f"{run.run_id} has no checkpoint of step {step}", mend, code="no_step")
    return _good(run, step, deep=deep)


def _parents_checkpoint(parent: dict[str, Any]) -> Checkpoint:
    checkpoint = _good(Run.from_uri(parent["uri"]), parent["step"])
    if checkpoint.digest != parent["digest"]:
        raise BadInput.one(
            "run", f"{checkpoint.uri} is not the one this run was forked from", code="parent_changed"
        )
    return checkpoint


def _good(run: Run, step: int, *, deep: bool = True) -> Checkpoint:
    try:
        run.checkpoints.verify(step, deep=deep)
    except Corrupt as error:
        raise BadInput.one("step", str(error), "choose another step", code="corrupt") from None
    return run.checkpoints.show(step)


def _remove(run: Run) -> None:
    """Remove the directory in a way that a crash cannot leave half a run in the list."""
    if run.folder.is_local:
        storage = Folder.open(run.storage)
        storage.rename(run.run_id, f".del-{run.run_id}")
        (storage / f".del-{run.run_id}").remove_tree()
        return
    if run.folder.exists("run.json"):
        run.folder.remove("run.json")
    run.folder.remove_tree()


def _parents_of(run: Run) -> list[Run]:
    """Return the runs on whose checkpoints this one stands: as their fork, or with their weights."""
    found = []
    for role in ("parent", "init"):
        # A damaged run.json, or a parent that was moved: no pin to take away.
        with contextlib.suppress(BadInput):
            if parent := run.header().get(role):
                found.append(Run.from_uri(parent["uri"]))
    return found
