"""`raylm checkpoints list|verify|delete`."""

import typer

from raylm.cli.groups import group
from raylm.cli.options import AsJson, Storage, print_json
from raylm.cli.runs import RunReference, Yes, confirm, storages_of
from raylm.cli.tables import print_table
from raylm.config.errors import BadInput, RunFailed
from raylm.runs.catalogue import find
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.summary import checkpoint_summary, size_text


def register(app: typer.Typer) -> None:
    """Add the commands to `raylm checkpoints`."""
    checkpoints = group(app, "checkpoints", "List, verify, export and delete checkpoints.")
    checkpoints.command("list")(list_command)
    checkpoints.command("verify")(verify_command)
    checkpoints.command("delete")(delete_command)


def list_command(reference: RunReference, *, storage: Storage = None, as_json: AsJson = False) -> None:
    """Print a run's checkpoints; `unverified` means that names and sizes fit."""
    run, _ = find(reference, storages_of(storage))
    _print(run.checkpoints.list(), as_json=as_json)


def verify_command(reference: RunReference, *, storage: Storage = None, as_json: AsJson = False) -> None:
    """Read every byte of one checkpoint, or of all, and compare with the manifest; exit 1 if one is bad."""
    run, step = find(reference, storages_of(storage))
    steps = run.checkpoints.steps() if step is None else [step]
    checkpoints = [run.checkpoints.show(one, deep=True) for one in steps]
    _print(checkpoints, as_json=as_json)
    if bad := [one for one in checkpoints if one.is_bad]:
        raise RunFailed(
            f"{len(bad)} of {len(checkpoints)} checkpoints are bad", "resume uses the newest good one"
        )


def delete_command(reference: RunReference, *, storage: Storage = None, is_sure: Yes = False) -> None:
    """Delete one checkpoint; never a pinned one, nor the last good one."""
    run, step = find(reference, storages_of(storage))
    if step is None:
        mend = f"say which step: {run.run_id}@STEP"
        raise BadInput.one("run", "names no checkpoint", mend, code="not_a_checkpoint")
    confirm(f"Delete checkpoint {step} of {run.run_id}?", is_sure=is_sure)
    run.checkpoints.delete(step)
    typer.echo(f"deleted {run.run_id}@{step}", err=True)


def _print(checkpoints: list[Checkpoint], *, as_json: bool) -> None:
    rows = [checkpoint_summary(one) for one in checkpoints]
    if as_json:
        print_json(rows)
        return
    cells = [
        [
            str(row["step"]),
            row["state"],
            size_text(row["bytes"]),
            str(row["tokens_seen"] or ""),
            str((row["metrics"] or {}).get("eval/loss", "")),
        ]
        for row in rows
    ]
    print_table(["step", "state", "size", "tokens", "eval/loss"], cells)
