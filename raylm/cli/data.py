"""`raylm data ledger|saw`: whose texts a run or a checkpoint has learned from, and how much of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from raylm.cli.groups import group
from raylm.cli.options import AsJson, Storage, print_json
from raylm.cli.runs import RunReference, storages_of
from raylm.cli.tables import print_table
from raylm.config.errors import BadInput
from raylm.config.near import did_you_mean
from raylm.runs.catalogue import find
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.run import Run

if TYPE_CHECKING:
    from raylm.data.seen import Seen
    from raylm.data.shards import Dataset

SourceName = Annotated[
    str | None,
    typer.Option("--source", metavar="NAME", help="One source; all of them by default.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `raylm data`."""
    data = group(app, "data", "Whose texts a run or a checkpoint has learned from.")
    data.command("ledger")(ledger_command)
    data.command("saw")(saw_command)


def ledger_command(reference: RunReference, *, storage: Storage = None, as_json: AsJson = False) -> None:
    """Print the ledger of a run or checkpoint: each source's licence, origin and size."""
    run, step = find(reference, storages_of(storage))
    facts = _checkpoint(run, step).facts if step is not None else run.header()
    ledgers = [*(facts.get("earlier_ledgers") or ()), facts.get("ledger")]
    if ledgers[-1] is None:
        mend = "it is written once the data is prepared"
        raise BadInput.one("run", f"{reference} has no ledger", mend, code="no_ledger")
    if as_json:
        print_json({"ledger": ledgers[-1], "earlier_ledgers": ledgers[:-1]})
        return
    rows = [_ledger_row(entry) for ledger in ledgers for entry in ledger["sources"]]
    print_table(
        ["source", "licence", "origin", "retrieved", "documents", "removed", "tokens", "digest"], rows
    )


def _ledger_row(entry: dict[str, Any]) -> list[str]:
    from raylm.data.ledger import removed_documents

    return [
        entry["name"],
        entry["licence"],
        entry["origin"],
        entry["retrieved"],
        f"{entry['documents']:,}",
        f"{removed_documents(entry):,}",
        f"{sum(entry['tokens'].values()):,}",
        entry["digest"][:12],
    ]


def saw_command(
    reference: RunReference, *, source: SourceName = None, storage: Storage = None, as_json: AsJson = False
) -> None:
    """Print which training tokens of a source a checkpoint has seen; with --json their ranges too.

    Ranges are [start, stop) and count from the source's first training token or document.
    """
    run, step = find(reference, storages_of(storage))
    checkpoint = _checkpoint(run, step)
    found = _seen(run, checkpoint, source)
    parents = _parents(run, checkpoint)
    if as_json:
        head = {"run": run.run_id, "step": checkpoint.step}
        values = {**head, "sources": [_as_json(*each) for each in found.items()], "parents": parents}
        typer.echo(json.dumps(values))  # on one line: there may be a million ranges
        return
    columns = ["source", "tokens", "epochs", "distinct", "of", "share"]
    print_table(columns, [_saw_row(*each) for each in found.items()])
    for parent in parents:
        typer.echo(_parents_line(parent), err=True)


def _checkpoint(run: Run, step: int | None) -> Checkpoint:
    if step is not None:
        checkpoint = run.checkpoints.show(step)
        if checkpoint.is_bad:
            raise BadInput.one("run", checkpoint.state, f"see: raylm checkpoints list {run.run_id}")
        return checkpoint
    newest, reasons = run.checkpoints.latest_good(deep=False)
    if newest is None:
        why = "; ".join(reasons) or "it has none yet"
        raise BadInput.one("run", f"{run.run_id} has no good checkpoint: {why}", code="no_step")
    return newest


def _seen(run: Run, checkpoint: Checkpoint, source: str | None) -> dict[str, Seen]:
    from raylm.data.data_plan import order_of_plan
    from raylm.data.seen import seen
    from raylm.recipe import Recipe

    plan = checkpoint.facts.get("data_plan")
    if plan is None:
        message = f"{run.run_id}@{checkpoint.step} does not say how its data was drawn"
        raise BadInput.one("run", message, "an older raylm saved it", code="no_plan")
    recipe, dataset = Recipe.from_yaml(run.recipe_yaml()), _dataset(run, plan)
    split = dataset.splits["train"]
    rows = recipe.objective.row_plan(split, plan["sequence_length"])
    order = order_of_plan(plan, dataset.source_names, rows.source_rows)
    cursor = checkpoint.facts["cursor"]
    return {
        name: seen(split, rows, order, dataset.source_names.index(name), cursor)
        for name in _chosen(source, dataset.source_names)
    }


def _chosen(source: str | None, names: tuple[str, ...]) -> tuple[str, ...]:
    if source is None:
        return names
    if source not in names:
        mend = did_you_mean(source, names) or f"there are: {', '.join(names)}"
        raise BadInput.one("--source", f"the data has no source {source}", mend, code="no_source")
    return (source,)


def _dataset(run: Run, plan: dict[str, Any]) -> Dataset:
    """Open the dataset that a checkpoint's plan names, where the run found it."""
    from raylm.data.data_plan import packing_of
    from raylm.data.fetch import fetch
    from raylm.data.shards import Dataset
    from raylm.recipe import Recipe

    prepared = [event for event in run.events() if event.get("event") == "prepared"]
    places = [event["dataset"] for event in prepared if event.get("digest") == plan["dataset"]]
    if not places:
        message = f"{run.run_id} does not say where its data {plan['dataset'][:12]} lies"
        raise BadInput.one("run", message, code="no_dataset")
    cache = Recipe.from_yaml(run.recipe_yaml()).data.cache_path
    return Dataset.open(fetch(places[-1], cache), packing_of(plan))


def _parents(run: Run, checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """Return the checkpoints that a fork came from, nearest first, and whether their samples are counted.

    They are while the data plan is the same: the fork then went on where its parent's cursor stood.
    """
    parents: list[dict[str, Any]] = []
    is_counted, digest = True, checkpoint.facts.get("data_digest")
    while parent := run.header().get("parent"):
        try:
            run = Run.from_uri(parent["uri"])
            facts = run.checkpoints.show(parent["step"]).facts
        except BadInput:
            facts = {}
        is_counted = is_counted and facts.get("data_digest") == digest
        parents.append({"run": parent["uri"], "step": parent["step"], "is_counted": is_counted})
        if not facts:
            break
    return parents


def _parents_line(parent: dict[str, Any]) -> str:
    place = f"{parent['run']}@{parent['step']}"
    if parent["is_counted"]:
        return f"counts what {place} had seen, from which the run was forked"
    return f"does not count what {place} had seen, on other data; see: raylm data saw {place}"


def _saw_row(name: str, seen: Seen) -> list[str]:
    return [
        name,
        f"{seen.tokens:,}",
        f"{seen.epochs:.3f}",
        f"{seen.distinct_tokens:,}",
        f"{seen.num_tokens:,}",
        f"{seen.share:.2%}",
    ]


def _as_json(name: str, seen: Seen) -> dict[str, Any]:
    values = {field: getattr(seen, field) for field in seen._fields if not field.endswith("ranges")}
    return {
        "source": name,
        **values,
        "share": seen.share,
        "token_ranges": seen.token_ranges.tolist(),
        "document_ranges": seen.document_ranges.tolist(),
    }
