"""`raylm prepare`: a recipe's texts as tokens on disk, before a run needs them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import typer

from raylm.cli.options import AsJson, Overrides, RecipePath, Storage, print_json

if TYPE_CHECKING:
    from raylm.data.prepare import Prepared
    from raylm.data.progress import Progress


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(prepare)


def prepare(
    recipe: RecipePath, overrides: Overrides = None, *, storage: Storage = None, as_json: AsJson = False
) -> None:
    """Turn a recipe's texts into tokens on disk; what is there already is used again."""
    from raylm.config import BadInput
    from raylm.data.prepare import prepare as prepare_data
    from raylm.recipe import Recipe
    from raylm.runs.storages import check_writable, resolve

    loaded = Recipe.load(recipe, overrides or ())
    home = resolve(storage, loaded.storage)
    problem = None if loaded.data.path else check_writable(home)
    if problem is not None:
        raise BadInput(problem)
    with _progress_bar() as report:
        prepared = prepare_data(loaded.data, loaded.tokenizer, home, report)
    for note in prepared.index.notes:
        typer.echo(f"note: {note}", err=True)
    facts = _facts(prepared)
    if as_json:
        print_json(facts)
    else:
        typer.echo(_sentence(facts))


def _facts(prepared: Prepared) -> dict[str, Any]:
    index = prepared.index
    splits = {
        name: {"documents": split.num_documents, "tokens": split.num_tokens, "bytes": split.num_bytes}
        for name, split in index.splits.items()
    }
    return {
        "digest": index.digest,
        "path": prepared.uri,
        "is_reused": prepared.is_reused,
        "documents": index.num_documents,
        "tokens": sum(split["tokens"] for split in splits.values()),
        "vocab_size": index.vocab_size,
        "splits": splits,
        "notes": list(index.notes),
    }


def _sentence(facts: dict[str, Any]) -> str:
    splits = " and ".join(f"{split['tokens']:,} {name}" for name, split in facts["splits"].items())
    done = "was there already" if facts["is_reused"] else "prepared"
    return f"{done}: {splits} tokens, vocabulary {facts['vocab_size']:,}\n{facts['path']}"


@contextlib.contextmanager
def _progress_bar() -> Iterator[Callable[[Progress], None] | None]:
    """Give a function that draws a bar for each stage on a terminal; None where there is none."""
    if not sys.stderr.isatty():
        yield None
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
            if now.stage not in tasks:
                tasks[now.stage] = bar.add_task(now.stage, total=now.total)
            bar.update(tasks[now.stage], completed=now.done, total=now.total)

        yield report
