"""The command line. Every module here that defines `register(app)` adds its commands; nothing else is edited.

Exit codes: 0 finished or stopped, 1 failed, 2 bad input, 75 interrupted with a checkpoint.
"""

import gc
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import raylm
from raylm.cli.once import refuse_repeats
from raylm.cli.options import say
from raylm.config import BadInput, RunFailed

# Importing torch and transformers makes a million objects that stay; looking for garbage among them as often
# as Python does took 0.6 of the 7 seconds in which a run starts.
_COLLECT_AFTER = (100_000, 50, 100)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, with `sys.argv`'s arguments by default, and exit with its code."""
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        build_app()(args=arguments, prog_name="raylm")
    except (BadInput, RunFailed) as error:
        say(str(error), err=True)
        sys.exit(error.exit_code)


def build_app() -> typer.Typer:
    """Return the application with every command of this folder."""
    app = typer.Typer(
        help=raylm.__doc__,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,  # its tracebacks show local variables, which may hold secrets
    )
    app.callback()(_root)
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{__name__}.{found.name}")
        if hasattr(module, "register"):
            module.register(app)
    refuse_repeats(app)
    return app


def _show_version(value: bool) -> None:  # noqa: FBT001 - typer calls it so
    if value:
        typer.echo(f"raylm {raylm.__version__}")
        raise typer.Exit


def _root(
    *, version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True)] = False
) -> None:
    """Pretrain and fine-tune language models on a Ray cluster: launch, watch, stop, resume, export."""
    del version
