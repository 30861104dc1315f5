"""Taking checkpoints away: so that a half-removed one is never listed, and a pinned one never removed."""

import json

from raylm.runs.folder import Folder
from raylm.runs.manifest import NAME
from raylm.runs.status import read_json


def remove_checkpoint(checkpoints: Folder, name: str) -> None:
    """Remove a checkpoint, first of all what makes it one."""
    if checkpoints.is_local:
        checkpoints.rename(name, f".del-{name}")
        (checkpoints / f".del-{name}").remove_tree()
        return
    if checkpoints.exists(f"{name}/{NAME}"):
        checkpoints.remove(f"{name}/{NAME}")
    (checkpoints / name).remove_tree()


def put_aside(checkpoints: Folder, name: str, mark: str) -> None:
    """Move a bad checkpoint out of the listing and keep it for study."""
    if checkpoints.is_local:
        checkpoints.rename(name, f".bad-{name}-{mark}")
    elif checkpoints.exists(f"{name}/{NAME}"):
        checkpoints.write(f"{name}/bad-{mark}.json", checkpoints.read(f"{name}/{NAME}"))
        checkpoints.remove(f"{name}/{NAME}")


def sweep(checkpoints: Folder, inner: dict[int, str | None]) -> None:
    """Remove stale staging and half-deleted folders. `inner` is the files' folder of each listed step."""
    for name in checkpoints.names(hidden=True):
        if name.startswith((".tmp-", ".del-")):
            (checkpoints / name).remove_tree()
    if not checkpoints.is_local:
        for step, kept in inner.items():
            _sweep_uploads(checkpoints / f"step-{step:08d}", kept)


def pins(run_folder: Folder) -> dict[int, list[str]]:
    """Return the ids of the runs that stand on each step."""
    found: dict[int, list[str]] = {}
    for name in run_folder.names("pins"):
        pin = read_json(run_folder, f"pins/{name}")
        if pin is not None:
            found.setdefault(int(pin.get("step") or 0), []).append(name.removesuffix(".json"))
    return found


def pin(run_folder: Folder, child_id: str, child_uri: str, step: int) -> None:
    """Keep a step's checkpoint for as long as the child lives."""
    run_folder.write(f"pins/{child_id}.json", json.dumps({"child": child_uri, "step": step}).encode())


def unpin(run_folder: Folder, child_id: str) -> None:
    """Let the step go that a child stood on."""
    if run_folder.exists(f"pins/{child_id}.json"):
        run_folder.remove(f"pins/{child_id}.json")


def _sweep_uploads(step_folder: Folder, kept: str | None) -> None:
    """Remove uploads no manifest points to; where no manifest can be read, nothing is known to be stale."""
    if kept is None and step_folder.exists(NAME):
        return
    for name in step_folder.names():
        if name not in (NAME, kept) and not name.startswith("bad-"):
            (step_folder / name).remove_tree()
