"""Groups of commands, such as `raylm runs ...`, that several files add to."""

import typer


def group(app: typer.Typer, name: str, summary: str = "") -> typer.Typer:
    """Return the group of that name, made at its first use; `summary` is its line in `--help`."""
    for known in app.registered_groups:
        if known.name == name and known.typer_instance is not None:
            known.help = known.help or summary
            return known.typer_instance
    made = typer.Typer(no_args_is_help=True)
    app.add_typer(made, name=name, help=summary)
    return made
