"""`raylm prepare`: a recipe's texts as tokens on disk, before a run needs them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from raylm.cli.options import AsJson, Overrides, RecipePath, Storage, print_json, say
from raylm.cli.prepared import prepared_facts, print_summary
from raylm.runs.read import clean

if TYPE_CHECKING:
    from raylm.data.prepare import Prepared
    from raylm.data.progress import Progress
    from raylm.recipe import Recipe

OnRay = Annotated[
    bool,
    typer.Option("--ray", help="Share the work through Ray Data: at scaling.address, or on a local Ray."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(prepare)


def prepare(
    recipe: RecipePath,
    overrides: Overrides = None,
    *,
    storage: Storage = None,
    on_ray: OnRay = False,
    as_json: AsJson = False,
) -> None:
    """Turn a recipe's texts into tokens on disk; what is there already is used again."""
    from raylm.config import BadInput
    from raylm.recipe import Recipe
    from raylm.runs.storages import check_writable, resolve

    loaded = Recipe.load(recipe, overrides or (), storage)
    home = resolve(storage, loaded.storage)
    problem = check_writable(home) if loaded.data.sources else None
    if problem is not None:
        raise BadInput(problem)
    prepared = _prepare(loaded, home, on_ray=on_ray)
    facts = prepared_facts(prepared)
    for note in facts["notes"]:
        say(f"note: {note}", err=True)
    if as_json:
        print_json(facts)
    else:
        print_summary(facts)


def _prepare(recipe: Recipe, home: str, *, on_ray: bool) -> Prepared:
    from raylm.data.prepare import prepare as prepare_data

    options: dict[str, Any] = {"lesson": recipe.lesson, "is_renewed": True}
    if not on_ray:
        with _shown() as report:
            return prepare_data(recipe.data, recipe.tokenizer, home, report, **options)
    if recipe.scaling.address:
        from raylm.jobs.head_address import check_head

        check_head(recipe.scaling.address)
    from raylm.distributed.cluster import connected
    from raylm.distributed.prepare import RayData

    with connected(recipe.scaling.address), _shown() as report:
        return prepare_data(recipe.data, recipe.tokenizer, home, report, workers=RayData(), **options)


@contextlib.contextmanager
def _shown() -> Iterator[Callable[[Progress], None]]:
    """Give a function that shows the progress: a bar for each stage on a terminal, else what is said only."""
    if not sys.stderr.isatty():
        yield _say
        return
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn(),
        rich_progress.TextColumn("ETA"),
        rich_progress.TimeRemainingColumn(),
    )
    tasks: dict[str, rich_progress.TaskID] = {}
    with rich_progress.Progress(*columns, console=Console(stderr=True)) as bar:

        def report(now: Progress) -> None:
            if now.message:
                bar.console.print(clean(now.message), markup=False, highlight=False)
            if now.stage not in tasks:
                tasks[now.stage] = bar.add_task(now.stage, total=now.total)
            bar.update(tasks[now.stage], completed=now.done, total=now.total)

        yield report


def _say(now: Progress) -> None:
    if now.message:
        say(now.message, err=True)
