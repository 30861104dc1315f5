"""`raylm runs stop|resume`: end a run with a fresh checkpoint, and go on from it."""

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from raylm.cli.groups import group
from raylm.cli.options import AsJson, Overrides, Storage, print_json, say
from raylm.config.errors import BadInput

if TYPE_CHECKING:
    from raylm.runs.run import Run

RunReference = Annotated[
    str,
    typer.Argument(metavar="RUN", help="A run's id, its beginning, or its name.", show_default=False),
]
Here = Annotated[bool, typer.Option("--here", help="Train in this process, whatever the run did before.")]
Address = Annotated[
    str | None,
    typer.Option("--address", metavar="NAME|URL", help="Submit to this cluster instead.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `raylm runs`."""
    runs = group(app, "runs")
    runs.command()(stop)
    runs.command()(resume)


def stop(run: RunReference, *, storage: Storage = None, as_json: AsJson = False) -> None:
    """Save a checkpoint and end a run, wherever it is; returns when it has ended."""
    from raylm.api.launch import stop as end

    found = _find(run, storage)
    end(found, notify=_note)
    _print_outcome(found, as_json=as_json)


def resume(
    run: RunReference,
    overrides: Overrides = None,
    *,
    here: Here = False,
    address: Address = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Go on from the newest good checkpoint, the way the run was launched; limits may be raised."""
    from raylm.api.launch import resume as go_on
    from raylm.cli.progress import progress
    from raylm.cli.train import EXIT_CODES

    found = _find(run, storage)
    launches = found.launches()
    is_here = here or not (address or (launches and launches[-1].get("how") != "here"))
    with progress(found) if is_here else contextlib.nullcontext():
        go_on(found, overrides or (), here=here, address=address, notify=_note)
    _print_outcome(found, as_json=as_json)
    if is_here:
        raise typer.Exit(EXIT_CODES.get(found.status().status, 1))


def _find(reference: str, storage: str | None) -> "Run":
    from raylm.runs.catalogue import find
    from raylm.runs.storages import resolve

    run, step = find(reference, None if storage is None else [resolve(storage)])
    if step is not None:
        mend = (
            f"a run goes on from its newest checkpoint; from step {step}: raylm runs fork {run.run_id}@{step}"
        )
        raise BadInput.one("run", "names a checkpoint, not a run", mend, code="not_a_run")
    return run


def _note(line: str) -> None:
    say(line, err=True)


def _print_outcome(run: "Run", *, as_json: bool) -> None:
    status = run.status()
    if as_json:
        print_json(
            {"run_id": run.run_id, "status": status.status, "step": status.step, "reason": status.reason}
        )
        return
    steps = f" at step {status.step}" if status.step else ""
    say(f"{run.run_id} is {status.status}{steps}{f': {status.reason}' if status.reason else ''}")
