"""`raylm runs list|show|logs|fork|delete`: what runs there are, and what became of them."""

import sys
import time
from typing import Annotated, Any

import typer

from raylm.cli.groups import group
from raylm.cli.options import AsJson, Storage, print_json
from raylm.cli.tables import print_fields, print_table
from raylm.config.errors import BadInput
from raylm.runs.catalogue import find, list_runs
from raylm.runs.evaluations import evaluation_summary, evaluations
from raylm.runs.folder import Folder
from raylm.runs.fork import delete, fork
from raylm.runs.read import clean, log_names, read
from raylm.runs.run import Run
from raylm.runs.storages import resolve
from raylm.runs.summary import age, checkpoint_summary, summary

RunReference = Annotated[
    str,
    typer.Argument(metavar="RUN[@STEP]", help="A run's id, its beginning, or its name.", show_default=False),
]
NewRunId = Annotated[
    str | None, typer.Option("--run-id", metavar="ID", help="Id of the new run.", show_default=False)
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_FOLLOW_EVERY_S = 0.5
_MOST_METRICS = 3  # of an evaluation in a list


def register(app: typer.Typer) -> None:
    """Add the commands to `raylm runs`."""
    runs = group(app, "runs", "List, watch and manage runs.")
    runs.command("list")(list_command)
    runs.command("show")(show_command)
    runs.command("logs")(logs_command)
    runs.command("fork")(fork_command)
    runs.command("delete")(delete_command)


def storages_of(storage: str | None) -> list[str] | None:
    """Return the storage a command names, or None for all that are known.

    Raises:
        BadInput: it names a folder of this machine that is not there.
    """
    if storage is None:
        return None
    place = resolve(storage)
    path = Folder.open(place).local_path()
    if path is not None and not path.is_dir():
        message = f"{storage} {'is a file, not a folder' if path.exists() else 'does not exist'}"
        raise BadInput.one("--storage", message, code="storage")
    return [place]


def confirm(question: str, *, is_sure: bool) -> None:
    """Ask before something is destroyed.

    Raises:
        BadInput: the answer is no, or there is no terminal to ask on.
    """
    if is_sure:
        return
    if not sys.stdin.isatty() or not typer.confirm(question):
        raise BadInput.one("delete", "not confirmed", "add --yes", code="not_confirmed")


def list_command(
    *,
    storage: Storage = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most runs to print.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Print the runs of all known storages, newest first."""
    runs = list_runs(storages_of(storage))
    rows = [summary(run) for run in runs[:limit]]
    if as_json:
        print_json(rows)
        return
    print_table(["run", "status", "step", "of", "age", "reason"], [_row(row) for row in rows])
    if len(runs) > limit:
        typer.echo(f"{len(runs) - limit} older runs are not shown; --limit {len(runs)} shows all", err=True)
    if not runs:
        typer.echo("No runs yet. Start one: raylm init NAME, then raylm train NAME.yaml", err=True)


def show_command(reference: RunReference, *, storage: Storage = None, as_json: AsJson = False) -> None:
    """Print a run's status, newest numbers, checkpoints, evaluations and events."""
    run, _ = find(reference, storages_of(storage))
    values = {
        **summary(run),
        "launches": run.launches(),
        "checkpoints": [checkpoint_summary(one) for one in run.checkpoints.list()],
        "evaluations": [evaluation_summary(one) for one in evaluations(run)],
        "forks": sorted(child for names in run.checkpoints.pins().values() for child in names),
        "events": run.events(),
    }
    if as_json:
        print_json(values)
        return
    _print_run(values)


def logs_command(
    reference: RunReference,
    name: Annotated[str | None, typer.Argument(metavar="[LOG]", show_default=False)] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more until the run ends.")] = False,
    storage: Storage = None,
) -> None:
    """Print what the run's processes wrote."""
    run, _ = find(reference, storages_of(storage))
    names = log_names(run)
    if not names:
        raise BadInput.one("run", f"{run.run_id} has no logs yet", code="no_log")
    for stream in [name] if name else names:
        if name is None and len(names) > 1:
            typer.echo(f"== {clean(stream)}")
        _print_log(run, f"logs/{stream}", follow=follow)


def fork_command(
    reference: RunReference,
    *,
    run_id: Annotated[
        str | None, typer.Option("--run-id", help="Id of the new run.", show_default=False)
    ] = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Make a new run that continues at a checkpoint of this one, by default at its newest good one."""
    run, step = find(reference, storages_of(storage))
    child = fork(run, step, run_id=run_id)
    if as_json:
        print_json(summary(child))
        return
    typer.echo(child.run_id)
    typer.echo(f"start it with: raylm runs resume {child.run_id} [section.field=value ...]", err=True)


def delete_command(reference: RunReference, *, storage: Storage = None, is_sure: Yes = False) -> None:
    """Delete a run and all its files."""
    run, step = find(reference, storages_of(storage))
    if step is not None:
        mend = f"to delete a checkpoint: raylm checkpoints delete {run.run_id}@{step}"
        raise BadInput.one("run", "names a checkpoint, not a run", mend, code="not_a_run")
    confirm(f"Delete {run.run_id} with all its checkpoints?", is_sure=is_sure)
    delete(run)
    typer.echo(f"deleted {run.run_id}", err=True)


def _row(row: dict[str, Any]) -> list[str]:
    of_steps = "" if row["max_steps"] is None else str(row["max_steps"])
    return [row["run_id"], row["status"], str(row["step"]), of_steps, age(row["created"]), row["reason"]]


def _print_run(values: dict[str, Any]) -> None:
    fields = {key: values[key] for key in ("run_id", "status", "reason", "mend", "step", "max_steps", "uri")}
    if values["parent"]:
        fields["parent"] = f"{values['parent']['uri']} at step {values['parent']['step']}"
    fields |= {
        "age": age(values["created"]),
        "heartbeat": age(values["heartbeat"]),
        "forks": ", ".join(values["forks"]),
    }
    print_fields({key: str(value) for key, value in fields.items() if value not in (None, "")})
    checkpoints = [[str(one["step"]), one["state"], _loss(one)] for one in values["checkpoints"]]
    if checkpoints:
        print_table(["checkpoint", "state", "eval/loss"], checkpoints)
    measured = [[one["name"], str(one["step"]), _first_metrics(one)] for one in values["evaluations"]]
    if measured:
        print_table(["evaluation", "step", "metrics"], measured)
    events = [[age(one.get("time")), str(one.get("event")), _details(one)] for one in values["events"][-8:]]
    if events:
        print_table(["ago", "event", ""], events)


def _loss(checkpoint: dict[str, Any]) -> str:
    loss = (checkpoint["metrics"] or {}).get("eval/loss")
    return "" if loss is None else f"{loss:.4f}"


def _first_metrics(evaluation: dict[str, Any]) -> str:
    """Return the first metrics; `raylm runs compare` and --json have them all."""
    shown = [f"{name} {value:.4f}" for name, value in evaluation["metrics"].items()]
    more = ["..."] if len(shown) > _MOST_METRICS else []
    return ", ".join(shown[:_MOST_METRICS] + more)


def _details(event: dict[str, Any]) -> str:
    return " ".join(
        f"{key}={value}" for key, value in event.items() if key not in ("time", "event", "writer")
    )


def _print_log(run: Run, stream: str, *, follow: bool) -> None:
    cursor = None
    while True:
        is_over = not follow or not run.status().is_live
        records, cursor = read(run, stream, cursor)
        for record in records:
            typer.echo(record["line"])
        if not records:
            if is_over:
                return
            time.sleep(_FOLLOW_EVERY_S)
