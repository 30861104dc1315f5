"""`raylm train` and `raylm drive`: a run in the foreground."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from raylm.cli.options import AsJson, Overrides, RecipePath, Storage, print_json

INTERRUPTED = 75  # sysexits' EX_TEMPFAIL: try again later; a checkpoint is there
EXIT_CODES = {"finished": 0, "stopped": 0, "preempted": INTERRUPTED}

RunId = Annotated[
    str | None,
    typer.Option(
        "--run-id", metavar="NAME", help="Name of the run; made when not given.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)
    app.command(hidden=True)(drive)


def train(
    recipe: RecipePath,
    overrides: Overrides = None,
    *,
    run_id: RunId = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Train a recipe here, in the foreground; Ctrl-C saves a checkpoint and ends."""
    from raylm.api.launch import claim
    from raylm.recipe import Recipe

    run, launch = claim(Recipe.load(recipe, overrides or (), storage), run_id, storage, how="here")
    sys.stderr.write(f"run {run.run_id}\n")
    carry_through(run, launch, as_json=as_json)


def drive(run_uri: str, launch: int) -> None:
    """Carry a claimed launch through to its end; what jobs and background processes run."""
    from raylm.runs.run import Run

    carry_through(Run.from_uri(run_uri), launch)


def carry_through(run: Any, launch: int, *, as_json: bool = False) -> None:
    """Drive a launch with a progress line, print how it ended, and exit with the code that says so."""
    from raylm.api.launch import drive as carry
    from raylm.cli.progress import progress

    with progress(run):
        status = carry(run, launch)
    summary = summarise(run)
    if as_json:
        print_json(summary)
    else:
        typer.echo(_sentences(summary))
    raise typer.Exit(EXIT_CODES.get(status.status, 1))


def summarise(run: Any) -> dict[str, Any]:
    """Return how a run ended, as plain values."""
    from raylm.runs.read import curve

    status = run.status()
    evaluations = curve(run, "eval/loss")
    shares = curve(run, "eval/loss_over_entropy")
    accuracies = curve(run, "eval/accuracy")
    rates = sorted(value for _, value in curve(run, "throughput/tokens_per_second"))
    return {
        "run_id": run.run_id,
        "uri": run.uri,
        "status": status.status,
        "reason": status.reason,
        "step": status.step,
        "eval/loss": evaluations[-1][1] if evaluations else None,
        "eval/loss_over_entropy": shares[-1][1] if shares else None,
        "eval/accuracy": accuracies[-1][1] if accuracies else None,
        "task": _task_of(run),
        "tokens_per_second": rates[len(rates) // 2] if rates else None,
    }


def _task_of(run: Any) -> str | None:
    """Return the kind of task that the run learns, or nothing."""
    from raylm.config.yaml import parse_yaml

    task = parse_yaml(run.recipe_yaml(), "recipe.yaml").values.get("task")
    return task["kind"] if task else None


def _validation(summary: dict[str, Any]) -> str:
    if summary["eval/accuracy"] is not None:
        loss, accuracy = summary["eval/loss"], summary["eval/accuracy"]
        return f"validation loss {loss:.4f}, accuracy {accuracy:.4f}, over the whole validation split"
    unit = " nats per token" if summary["eval/loss_over_entropy"] else ""  # a regression's is none
    return (
        f"validation loss {summary['eval/loss']:.4f}{unit}, over the whole validation split"
        f"{_beside_frequencies(summary)}"
    )


def _beside_frequencies(summary: dict[str, Any]) -> str:
    share = summary["eval/loss_over_entropy"]
    return f"; {share:.2f} of what frequencies alone would give" if share else ""


def _sentences(summary: dict[str, Any]) -> str:
    run_id, lines = summary["run_id"], [f"{summary['status']}: {summary['reason']}"]
    if summary["eval/loss"] is not None:
        lines.append(_validation(summary))
    if summary["tokens_per_second"] is not None:
        lines.append(f"{summary['tokens_per_second']:,.0f} tokens/s (median step)")
    use = f"evaluate {run_id}" if summary["task"] else f'generate {run_id} --prompt "..."'
    first = use if summary["status"] == "finished" else f"runs resume {run_id}"
    commands = (first, f"checkpoints export {run_id} --to FOLDER", f"runs show {run_id}")
    lines += [f"the run lies in {summary['uri']}", "next:", *(f"  raylm {command}" for command in commands)]
    return "\n".join(lines)
