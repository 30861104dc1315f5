"""`raylm check` and `raylm plan`: a recipe before it runs."""

import sys
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer

from raylm.cli.options import AsJson, Overrides, RecipePath, Storage, print_json
from raylm.config import BadInput, Problem
from raylm.runs.summary import size_text

if TYPE_CHECKING:
    from raylm.planning import Plan


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(check)
    app.command()(plan)


def check(
    recipe: RecipePath, overrides: Overrides = None, *, storage: Storage = None, as_json: AsJson = False
) -> None:
    """Say everything that is wrong with a recipe, or that it can run here."""
    problems = _problems(recipe, overrides or [], storage)
    if as_json:
        print_json({"ok": not problems, "problems": [asdict(problem) for problem in problems]})
    elif problems:
        sys.stderr.writelines(f"{problem}\n" for problem in problems)
    else:
        typer.echo(f"{recipe}: good")
    raise typer.Exit(BadInput.exit_code if problems else 0)


def _problems(path: str, overrides: list[str], storage: str | None) -> tuple[Problem, ...]:
    from raylm.planning import preflight
    from raylm.recipe import Recipe
    from raylm.runs.storages import resolve

    try:
        recipe = Recipe.load(path, overrides, storage)
        return tuple(preflight(recipe, resolve(storage, recipe.storage)))
    except BadInput as error:
        return error.problems


def plan(
    recipe: RecipePath, overrides: Overrides = None, *, storage: Storage = None, as_json: AsJson = False
) -> None:
    """Show what a recipe will cost: parameters, tokens, memory, and time where past runs tell it."""
    from raylm.planning import plan as make_plan
    from raylm.recipe import Recipe

    made = make_plan(Recipe.load(recipe, overrides or [], storage), storage)
    if as_json:
        print_json(made.to_json())
    else:
        for label, text in _lines(made):
            typer.echo(f"{label:<18}{text}")


def _lines(made: "Plan") -> list[tuple[str, str]]:
    """Return a label and a text for each figure that is known."""
    figures = made.to_json()
    return [(label, text.format_map(_Shown(figures))) for name, label, text in _TABLE if name in figures]


class _Shown(dict[str, Any]):
    """Figures as text: big numbers with their unit, bytes as GB, seconds as a clock."""

    def __init__(self, figures: dict[str, Any]) -> None:
        super().__init__({name: _shown(name, value) for name, value in figures.items()})


def _shown(name: str, value: Any) -> str:
    if name.endswith("bytes"):
        return size_text(value)
    if name == "sizes":
        return ", ".join(f"{size} {count / 1e6:.1f}M" for size, count in value.items())
    if name == "seconds":
        return str(timedelta(seconds=round(value)))
    return (
        f"{value:.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )


_TABLE = (
    ("parameters", "parameters", "{parameters} (vocabulary of {vocab_size})"),
    ("trained_parameters", "trained", "{trained_parameters} of them"),
    ("sizes", "sizes by name", "{sizes}"),
    ("steps", "steps", "{steps} of {tokens_per_step} tokens"),
    ("tokens", "tokens", "{tokens}"),
    ("train_tokens", "prepared data", "{train_tokens} training tokens"),
    ("epochs", "epochs", "{epochs}"),
    ("micro_batch_size", "micro-batch", "{micro_batch_size} sequences x {gradient_accumulation_steps}"),
    ("memory_bytes", "memory per worker", "{memory_bytes} = {memory_formula}"),
    ("checkpoint_bytes", "checkpoint", "{checkpoint_bytes}"),
    ("flops", "arithmetic", "{flops} FLOPs"),
    ("seconds", "time", "{seconds}, at the speed of run {seconds_from}"),
)
