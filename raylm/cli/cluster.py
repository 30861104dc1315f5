"""`raylm cluster`: the local cluster that raylm owns, and the list of others it may send jobs to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from raylm.cli.groups import group
from raylm.cli.options import AsJson, print_json

if TYPE_CHECKING:
    from raylm.jobs.clusters import Cluster

Name = Annotated[str, typer.Argument(metavar="NAME", help="A name of your choice.", show_default=False)]
Which = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME|URL]", help="A listed cluster; by default the owned one.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add `raylm cluster start|status|stop|add|remove|list`."""
    commands = group(app, "cluster", "Start a local Ray cluster, or list others to send jobs to.")
    for command in (start, status, stop):
        commands.command()(command)
    commands.command("add")(add)
    commands.command("remove")(remove)
    commands.command("list")(list_them)


def start(
    num_cpus: Annotated[int | None, typer.Option(min=1, help="CPUs to offer; default all.")] = None,
    num_gpus: Annotated[int | None, typer.Option(min=0, help="GPUs to offer; default all.")] = None,
    object_store_memory: Annotated[int | None, typer.Option(min=80_000_000, help="Bytes.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Start a Ray cluster of your own on this machine; it stays until `raylm cluster stop`."""
    from raylm.jobs.owned import start_owned
    from raylm.jobs.ray_head import HeadOptions

    options = HeadOptions(num_cpus, num_gpus, object_store_memory)
    owned, is_new = start_owned(options, notify=lambda line: typer.echo(line, err=True))
    summary = {"is_new": is_new, **_summary(owned.cluster())}
    if as_json:
        print_json(summary)
        return
    typer.echo("started" if is_new else "runs already; options are those of its start")
    typer.echo(_sentence(summary))
    typer.echo("submit to it: raylm submit RECIPE    end it: raylm cluster stop")


def status(cluster: Which = None, *, as_json: AsJson = False) -> None:
    """Show whether a cluster is up, what it has and which jobs run on it."""
    from raylm.jobs.owned import find_owned
    from raylm.jobs.target import find_target

    if cluster is None and find_owned() is None:
        line = "no cluster of yours runs here; start one: raylm cluster start"
        print_json({"is_running": False}) if as_json else typer.echo(line)
        return
    summary = {"is_running": True, **_summary(find_target(cluster, may_start=False))}
    print_json(summary) if as_json else typer.echo(_sentence(summary))


def stop(
    *,
    force: Annotated[bool, typer.Option("--force", help="End it even while jobs run on it.")] = False,
    as_json: AsJson = False,
) -> None:
    """End the cluster of your own, and nothing else."""
    from raylm.jobs.ray_jobs import stop_owned_unless_used

    is_ended = stop_owned_unless_used(force=force) is not None
    print_json({"stopped": is_ended}) if as_json else typer.echo(
        "stopped" if is_ended else "no cluster of yours ran"
    )


def add(
    name: Name,
    address: Annotated[
        str, typer.Argument(metavar="URL", help="Its dashboard, such as https://ray.example.org.")
    ],
    token_path: Annotated[Path | None, typer.Option(help="File with its token, mode 0600.")] = None,
    storage: Annotated[str | None, typer.Option(help="Where runs on it are kept.")] = None,
    *,
    allow_insecure_http: Annotated[
        bool, typer.Option("--allow-insecure-http", help="Send the token in clear.")
    ] = False,
) -> None:
    """List a cluster, so that jobs may be sent to it."""
    from raylm.jobs.clusters import Cluster, add_cluster

    token = None if token_path is None else str(token_path)
    add_cluster(Cluster(name, address, token, storage, allow_insecure_http))
    typer.echo(f"added; look at it with: raylm cluster status {name}")


def remove(name: Name) -> None:
    """Take a cluster off the list."""
    from raylm.jobs.clusters import remove_cluster

    remove_cluster(name)
    typer.echo("removed")


def list_them(*, as_json: AsJson = False) -> None:
    """List the clusters that jobs may be sent to; contacts none of them."""
    from raylm.jobs.clusters import list_clusters
    from raylm.jobs.owned import find_owned

    owned = find_owned()
    clusters = ([owned.cluster()] if owned else []) + list_clusters()
    if as_json:
        print_json([_entry(each) for each in clusters])
        return
    for each in clusters:
        typer.echo("  ".join([each.name, each.address, each.storage or ""]).rstrip())
    if not clusters:
        typer.echo("none; start one: raylm cluster start, or list one: raylm cluster add NAME URL")


def _entry(cluster: "Cluster") -> dict[str, Any]:
    return {"name": cluster.name, "address": cluster.address, "storage": cluster.storage}


def _summary(cluster: "Cluster") -> dict[str, Any]:
    from raylm.jobs.nodes import list_nodes
    from raylm.jobs.ray_jobs import running_jobs

    dashboard = cluster.dashboard()
    nodes = [node._asdict() for node in list_nodes(dashboard)]
    ray_version = dashboard.get("/api/version")["ray_version"]
    return {
        **_entry(cluster),
        "ray_version": ray_version,
        "nodes": nodes,
        "running_jobs": running_jobs(cluster),
    }


def _sentence(summary: dict[str, Any]) -> str:
    nodes = summary["nodes"]
    cpus, gpus = (sum(node[kind] for node in nodes) for kind in ("cpus", "gpus"))
    has = f"{len(nodes)} node{'s'[: len(nodes) != 1]}, {cpus:g} CPUs, {gpus:g} GPUs"
    jobs = ", ".join(summary["running_jobs"]) or "none"
    return f"{summary['address']}  Ray {summary['ray_version']}  {has}  running jobs: {jobs}"
