"""Arguments and options that many commands share, and how they print data."""

import json
from typing import Annotated, Any

import typer

RecipePath = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe file (YAML).", show_default=False)
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[section.field=value]...", help="Fields that replace the recipe's.", show_default=False
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage", metavar="URI", help="Where runs live: a folder, s3://..., gs://...", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(value: Any) -> None:
    """Write a value to the standard output as indented JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def say(text: str, *, err: bool = False) -> None:
    """Print text in which a stranger may have had a hand: no terminal is sent what it would obey."""
    from raylm.runs.read import clean

    typer.echo("\n".join(map(clean, text.split("\n"))), err=err)
