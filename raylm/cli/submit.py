"""`raylm submit`: a run as a Ray job, which needs neither this terminal nor this machine's patience."""

from typing import Annotated

import typer

from raylm.cli.options import AsJson, Overrides, RecipePath, Storage, print_json

Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="NAME|URL",
        help="A listed cluster; by default your own, started if none runs.",
        show_default=False,
    ),
]
RunId = Annotated[
    str | None,
    typer.Option("--run-id", metavar="ID", help="Id of the run; made when not given.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(submit)


def submit(
    recipe: RecipePath,
    overrides: Overrides = None,
    *,
    address: Address = None,
    run_id: RunId = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Run a recipe as a job on a Ray cluster, print the run's id and return."""
    from raylm.api.launch import submit as send
    from raylm.recipe import Recipe

    values = Recipe.load(recipe, overrides or (), storage)
    run = send(values, address, run_id, storage, notify=lambda line: typer.echo(line, err=True))
    if as_json:
        print_json(
            {"run_id": run.run_id, "uri": run.uri, "submission_id": run.launches()[-1]["submission_id"]}
        )
        return
    typer.echo(run.run_id)
    typer.echo(f"watch it: raylm runs show {run.run_id}    end it: raylm runs stop {run.run_id}", err=True)
