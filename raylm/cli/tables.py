"""Tables: drawn on a terminal, tab-separated where another program reads."""

import sys
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from raylm.runs.read import clean

# A word says the state too: colour alone would be lost on some people and some terminals.
_COLOURS = {
    "running": "green",
    "finished": "green",
    "good": "green",
    "failed": "red",
    "lost": "red",
    "bad": "red",
}


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text; nothing in them is taken as markup or as terminal control."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(clean(cell).replace("\t", " ") for cell in row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(cell) for cell in row))
    Console().print(table)


def print_fields(fields: dict[str, str]) -> None:
    """Print `name: value` lines."""
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        typer.echo(f"{name:<{width}}  {clean(value)}")


def _cell(text: str) -> Text:
    return Text(clean(text), style=_COLOURS.get(text.partition(":")[0], ""))
