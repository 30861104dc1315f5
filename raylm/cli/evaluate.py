"""`raylm evaluate`: what a checkpoint can do, in figures that are kept in the run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import typer

from raylm.cli.evaluation_tables import print_evaluation
from raylm.cli.options import AsJson, Storage, print_json
from raylm.cli.runs import RunReference, storages_of
from raylm.config.errors import BadInput
from raylm.config.overrides import apply_override, read_overrides
from raylm.config.yaml import parse_yaml
from raylm.runs.catalogue import find
from raylm.runs.run import Run

Fields = Annotated[
    list[str] | None,
    typer.Argument(metavar="[field=value]...", help="Fields of the task.", show_default=False),
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="KIND",
        help="What to ask; by default the run's own task, else the loss on its validation split.",
    ),
]
Split = Annotated[
    Literal["train", "validation", "test"] | None,
    typer.Option(
        "--split",
        help="Which of the run's own splits has the rows of the task; by default test, else validation.",
        show_default=False,
    ),
]
Data = Annotated[
    list[str] | None,
    typer.Option("--data", metavar="PATH", help="Files of the task, or a pattern; may be given again."),
]
LmEval = Annotated[
    list[str] | None,
    typer.Option("--lm-eval", metavar="TASK", help="A task of lm-evaluation-harness; may be given again."),
]
IncludePath = Annotated[
    list[str] | None,
    typer.Option("--include-path", metavar="DIR", help="With --lm-eval: a folder of task files (YAML)."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    run: RunReference,
    fields: Fields = None,
    *,
    task: Task = None,
    data: Data = None,
    split: Split = None,
    lm_eval: LmEval = None,
    include_path: IncludePath = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What the result is called; the task's kind by default.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The most rows or documents.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a result of that name that has other settings or data.")
    ] = False,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    r"""Evaluate a checkpoint; the result is kept in the run, under evaluations/.

    A run with a task is asked for it, on its own test split or on other files:

    raylm evaluate RUN

    raylm evaluate RUN --data test.conll source.tag_column=3

    Other tasks: text, minimal_pairs, multiple_choice, cloze, linear_probe. For example:

    raylm evaluate RUN --task minimal_pairs --data 'blimp/*.jsonl.gz'

    raylm evaluate RUN --task multiple_choice --data valid.jsonl.gz labels_path=valid-labels.lst
    'choice_fields=[sol1, sol2]' 'context="Question: {goal}\nAnswer:"'
    """
    found, step = find(run, storages_of(storage))
    task = task or (_own_task(found) if (data or fields) and not lm_eval else None)
    _refuse_mixed(task, data, lm_eval, include_path, fields, split)
    from raylm.api.evaluate import evaluate as evaluate_run

    chosen = {"limit": limit, "split": split}
    wanted: dict[str, Any] = {field: value for field, value in chosen.items() if value is not None}
    if lm_eval:
        wanted |= {"kind": "lm_eval", "tasks": lm_eval, "include_path": include_path or ()}
    wanted |= _task(task, data, fields) if task else {}
    with _shown() as report:
        record = evaluate_run(found, wanted, step=step, name=name, force=force, report=report)
    if as_json:
        print_json(record)
    else:
        print_evaluation(record)


def _refuse_mixed(task: Any, data: Any, lm_eval: Any, include_path: Any, fields: Any, split: Any) -> None:
    if lm_eval and (task or data or fields or split):
        mend = "leave --task, --data and --split out"
        raise BadInput.one("--lm-eval", "has tasks and fields of its own", mend, code="mixed")
    if include_path and not lm_eval:
        raise BadInput.one("--include-path", "is for --lm-eval", "name a task: --lm-eval TASK", code="mixed")
    if (data or fields) and not task and not lm_eval:
        mend = "say what to ask of these files: --task text"
        raise BadInput.one("--task", "is missing", mend, code="mixed")


def _own_task(run: Run) -> str | None:
    """Return the kind of the task that a run was trained for, if it was."""
    return (parse_yaml(run.recipe_yaml(), "recipe").values.get("task") or {}).get("kind")


def _task(task: str, data: list[str] | None, fields: list[str] | None) -> dict[str, Any]:
    values: dict[str, Any] = {"kind": task} | ({"path": data} if data else {})
    overrides, problems = read_overrides(fields or ())
    if problems:
        raise BadInput(*problems)
    for override in overrides:
        values = apply_override(values, override)
    return values


@contextlib.contextmanager
def _shown() -> Iterator[Callable[[float], None]]:
    """Give a function that shows which share is done, and how long the rest will take, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _share: None
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("evaluating"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("ETA"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bar:
        number = bar.add_task("", total=1.0)
        yield lambda share: bar.update(number, completed=share)
