"""`raylm tokenizer train|compare|show`: learning a vocabulary, measuring it, looking at its pieces."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from raylm.cli.groups import group
from raylm.cli.options import AsJson, Overrides, RecipePath, Storage, print_json, say
from raylm.cli.tables import print_table
from raylm.config.errors import BadInput
from raylm.config.outputs import check_new_folder
from raylm.runs.read import clean

if TYPE_CHECKING:
    from raylm.data.tokenizer_choice import Candidates
    from raylm.data.trained_tokenizer import Piece

_KINDS = "character,word,byte_bpe,wordpiece,unigram"
_COLUMNS = {
    "tokenizer": "{name}",
    "vocabulary": "{vocab_size:,}",
    "bytes per token": "{bytes_per_token:.2f}",
    "tokens per word": "{fertility:.2f}",
    "unknown": "{unknown_rate:.2%}",
    "used": "{vocabulary_used:.1%}",
    "round trip": "{round_trip:.1%}",
}
_SMALLEST_SHARE = 0.005  # of the text; languages below it are for --json
_SHADES = ("black on color(153)", "black on color(223)")  # readable on light and dark terminals


def register(app: typer.Typer) -> None:
    """Add the commands to `raylm tokenizer`."""
    commands = group(app, "tokenizer", "Train, compare and look at tokenizers.")
    for command in (train, compare, show):
        commands.command()(command)


def train(
    recipe: RecipePath,
    overrides: Overrides = None,
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="A new folder for it.", show_default=False)
    ],
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Learn a recipe's tokenizer from its training texts; AutoTokenizer loads the folder."""
    from raylm.data.prepare import training_texts
    from raylm.recipe import Recipe
    from raylm.runs.storages import resolve

    check_new_folder("--out", out)
    loaded = Recipe.load(recipe, overrides or (), storage)
    home = resolve(storage, loaded.storage)
    trained = loaded.tokenizer.train(training_texts(loaded.data, home, lesson=loaded.lesson))
    trained.save(out)
    notes = loaded.tokenizer.notes(trained)
    for note in notes:
        say(f"note: {note}", err=True)
    facts = {"path": str(out.absolute()), "kind": loaded.tokenizer.settings()["kind"]}
    facts |= {"vocab_size": trained.vocab_size, "eos_token_id": trained.eos_token_id, "notes": list(notes)}
    if as_json:
        print_json(facts)
        return
    typer.echo(f"learned {trained.vocab_size:,} tokens\n{out}")
    typer.echo(f"look at it: raylm tokenizer show {out} --text TEXT")


def compare(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR|DATASET|RUN|RECIPE...",
            help="Tokenizers, or a recipe (and fields to replace) on which several kinds are trained.",
            show_default=False,
        ),
    ],
    *,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="FILES", help="Text to measure on; a recipe's own by default."),
    ] = None,
    kinds: Annotated[str, typer.Option(metavar="KIND,...", help="With a recipe: kinds to train.")] = _KINDS,
    vocab_size: Annotated[
        int, typer.Option(min=2, help="With a recipe: tokens; character and word as they fall.")
    ] = 4096,
    mb: Annotated[float, typer.Option(min=0.001, help="Most megabytes read of each source.")] = 10.0,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Measure tokenizers on the same texts: compression, unknown tokens, vocabulary use, round trip."""
    from raylm.data.tokenizer_report import measure, read_samples

    candidates = _candidates(what, [kind.strip() for kind in kinds.split(",")], vocab_size, storage)
    sources, names = candidates.sources_to_measure(data or [])
    samples = list(read_samples(sources, names, int(mb * 1e6)))
    if not samples:
        raise BadInput.one("--data", "no text to measure on", "name files with text", code="empty")
    rows = [{"name": name, **measure(each, samples).to_json()} for name, each in candidates.trained.items()]
    for note in candidates.notes:
        say(f"note: {note}", err=True)
    if as_json:
        print_json({"tokenizers": rows, "notes": list(candidates.notes)})
    else:
        _print_report(rows)


def show(
    path: Annotated[str, typer.Argument(metavar="DIR|DATASET|RUN", help="A tokenizer.", show_default=False)],
    text: Annotated[
        str | None, typer.Option("--text", help="What to cut; read from the standard input by default.")
    ] = None,
    *,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Show the pieces into which a tokenizer cuts a text, with their ids."""
    from raylm.data.tokenizer_choice import find_tokenizer

    trained = find_tokenizer(path, storage)
    shown = sys.stdin.read() if text is None else text
    pieces = trained.pieces(shown)
    if as_json:
        listed = [{**piece._asdict(), "text": shown[piece.start : piece.stop]} for piece in pieces]
        print_json({"text": shown, "vocab_size": trained.vocab_size, "pieces": listed})
    elif sys.stdout.isatty():
        _print_coloured(shown, pieces)
    else:
        print_table(["id", "text", "token"], [_row(shown, piece) for piece in pieces])


def _candidates(what: list[str], kinds: list[str], vocab_size: int, storage: str | None) -> Candidates:
    from raylm.data.tokenizer_choice import found, trained_on
    from raylm.recipe import Recipe
    from raylm.runs.storages import resolve

    recipes = [each for each in what if each.endswith((".yaml", ".yml"))]
    if not recipes:
        return found(what, storage)
    if len(recipes) > 1:
        raise BadInput.one("RECIPE", f"{len(recipes)} recipes are given", "give one", code="many")
    changes = [each for each in what if each != recipes[0]]
    recipe = Recipe.load(recipes[0], changes, storage)
    if recipe.task is not None:
        mend = "compare on a recipe of texts, or name tokenizers' folders"
        raise BadInput.one("RECIPE", "has a task, whose rows are no running text", mend, code="task")
    return trained_on(recipe.data, resolve(storage, recipe.storage), kinds, vocab_size)


def _print_report(rows: list[dict[str, Any]]) -> None:
    """Print a table of all texts, then one by source and one by language where there are several."""
    columns = {**_COLUMNS, "MB/s": "{mb_per_second:.1f}"}
    print_table(list(columns), [[each.format(**row) for each in columns.values()] for row in rows])
    smallest = _SMALLEST_SHARE * rows[0]["bytes"]
    for parts, title in (("sources", "source"), ("languages", "language")):
        names = [name for name, part in rows[0][parts].items() if part["bytes"] >= smallest]
        lines = [
            [name, *(each.format(**{**row, **row[parts][name]}) for each in _COLUMNS.values())]
            for name in names
            for row in rows
        ]
        if len(names) > 1:
            typer.echo("")
            print_table([title, *_COLUMNS], lines)


def _row(text: str, piece: Piece) -> list[str]:
    return [str(piece.id), _visible(text[piece.start : piece.stop]), piece.token]


def _print_coloured(text: str, pieces: list[Piece]) -> None:
    from rich.console import Console
    from rich.text import Text

    line = Text()
    for number, piece in enumerate(pieces):
        shade = _SHADES[number % len(_SHADES)]
        line.append(_visible(text[piece.start : piece.stop]), style=shade)
        line.append(f"{piece.id} ", style="dim")
    console = Console()
    console.print(line)
    console.print(f"{len(pieces):,} tokens, {len(text):,} characters", style="dim", highlight=False)


def _visible(text: str) -> str:
    """Return text on one line in which white space shows."""
    return clean(text.replace(" ", "·").replace("\n", "↵").replace("\t", "→"))
