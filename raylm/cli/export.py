"""`raylm checkpoints export`: a checkpoint as a Hugging Face folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raylm.cli.groups import group
from raylm.cli.options import AsJson, Storage, print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    group(app, "checkpoints").command("export")(export)


def export(
    run: Annotated[str, typer.Argument(metavar="RUN[@STEP]", help="A run, and perhaps a checkpoint of it.")],
    to: Annotated[Path, typer.Option("--to", help="A new folder.")],
    *,
    keep_adapter: Annotated[
        bool, typer.Option("--adapter", help="Write the adapter apart from the model it goes on.")
    ] = False,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Write a folder that transformers' from_pretrained loads, tokenizer included."""
    from raylm.runs.catalogue import find

    found, step = find(run, [storage] if storage else None)
    from raylm.engine.export import export as write

    written = write(found, step, to, keep_adapter=keep_adapter)
    if as_json:
        print_json({"run_id": found.run_id, "step": written, "path": str(to.absolute())})
    else:
        typer.echo(f"{found.run_id}@{written} is in {to.absolute()}")
