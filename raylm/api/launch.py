"""Starting, stopping and resuming runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from raylm.api.continuing import check_goes_on
from raylm.api.plugins import keep_plugins
from raylm.api.provenance import header_of
from raylm.config.errors import BadInput, RunFailed
from raylm.recipe import Recipe
from raylm.runs import commands
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.folder import Folder
from raylm.runs.fork import let_go, stand_on, starting_checkpoint
from raylm.runs.lease import Lease
from raylm.runs.names import check_run_name, make_run_id
from raylm.runs.run import Run
from raylm.runs.status import Status
from raylm.runs.storages import resolve

STOP_SECONDS = 120.0  # a step, an evaluation or a checkpoint of a large model may have to end first

Notify = Callable[[str], None]


def _quiet(_line: str) -> None:
    """Tell nobody."""


def train(recipe: Recipe, run_id: str | None = None, storage: str | None = None) -> Run:
    """Train here, in the foreground; return the run when it has ended.

    Args:
        recipe: What to train.
        run_id: The run's name in its storage; made from the recipe's name when not given.
        storage: Where runs are kept, in place of the recipe's.

    Raises:
        BadInput: The recipe cannot be run here, or the run exists already.
        RunFailed: Training failed.
    """
    run, launch = claim(recipe, run_id, storage, how="here")
    drive(run, launch)
    return run


def submit(
    recipe: Recipe,
    address: str | None = None,
    run_id: str | None = None,
    storage: str | None = None,
    notify: Notify = _quiet,
) -> Run:
    """Start a run as a Ray job and return at once; it needs neither this process nor a browser.

    Args:
        recipe: What to train, on one Ray worker or more.
        address: A listed cluster's name or address; by default the live one that raylm owns, or a new one.
        run_id: The run's name; a second submit with the same one starts nothing.
        storage: Where runs are kept, in place of the recipe's.
        notify: Called with a line about what takes time.

    Raises:
        BadInput: The recipe or the cluster does not fit, or the run exists already.
        RunFailed: The cluster took no job.
    """
    if not recipe.scaling.num_workers:
        raise BadInput.one(
            "scaling.num_workers", "0 trains in the process that starts it, which no job is", "set it to 1"
        )
    from raylm.jobs.target import find_target

    _check_new(run_id, recipe, storage)  # before a cluster is started for nothing
    cluster = find_target(address or recipe.scaling.address, notify=notify)
    run, launch = claim(recipe, run_id, storage, how="job", nodes_of=cluster, address=cluster.reference)
    _submit(run, launch, cluster.address, notify)
    return run


def launch(
    recipe: Recipe, run_id: str | None = None, storage: str | None = None, notify: Notify = _quiet
) -> Run:
    """Start a run in the background, as a process of this machine or as a Ray job, and return at once.

    Raises:
        BadInput: As `submit`.
        RunFailed: As `submit`.
    """
    if recipe.scaling.num_workers:
        return submit(recipe, run_id=run_id, storage=storage, notify=notify)
    from raylm.jobs.local import spawn

    run, number = claim(recipe, run_id, storage, how="process")
    spawn(run, number)
    return run


def drive(run: Run, launch: int, **options: Any) -> Status:
    """Carry a claimed launch through to its end, in this process; see `raylm.distributed.drive`."""
    from raylm.distributed.drive import drive as carry

    return carry(run, launch, **options)


def stop(run: Run, notify: Notify = _quiet, seconds: float = STOP_SECONDS) -> Status:
    """Ask a run to save a checkpoint and end; return its status then. Asking twice asks once.

    Raises:
        RunFailed: It did not end in time.
    """
    status = run.status()
    if status.status == "pending" and status.submission_id:
        _withdraw(run, status)
    elif status.status in ("pending", "running"):
        commands.send(run, "stop")
        notify(f"asked {run.run_id} to save a checkpoint and stop")
    deadline = time.monotonic() + seconds
    while (status := run.status()).is_live:
        if time.monotonic() > deadline:
            raise RunFailed(
                f"{run.run_id} has not stopped after {seconds:.0f} s", f"see: raylm runs logs {run.run_id}"
            )
        time.sleep(0.2)
    return status


def _withdraw(run: Run, status: Status) -> None:
    """Take back a job that no driver has begun."""
    from raylm.jobs import ray_jobs

    assert status.submission_id is not None
    ray_jobs.stop_job(status.submission_id, run.launches()[-1].get("address"))
    Lease.acquire(run, status.launch).release("stopped", "stopped before it began")


def resume(
    run: Run,
    overrides: Iterable[str] = (),
    *,
    here: bool = False,
    address: str | None = None,
    in_background: bool = False,
    notify: Notify = _quiet,
) -> Run:
    """Start a run again the way it was launched, from its newest good checkpoint.

    Args:
        run: A run that has ended, or whose process is gone.
        overrides: Fields to change, such as `train.max_steps=4000`.
        here: Train in this process, whatever the run did before.
        address: Submit to this cluster, whatever the run did before.
        in_background: Where the run trained in a person's process, start one of its own for it.
        notify: Called with a line about what takes time.

    Raises:
        BadInput: The run is live, no checkpoint of it is good, or a field does not fit.
        RunFailed: Training failed, or the cluster took no job.
    """
    told = run.recipe_yaml()
    recipe = _settled(Recipe.from_yaml(told, overrides))
    start = starting_checkpoint(run)[0]
    check_goes_on(run, Recipe.from_yaml(told), recipe, start)
    _say_how_exact(start, recipe, notify)
    before = (run.launches() or [{"how": "here"}])[-1]
    how = "here" if here else "job" if address else before.get("how", "here")
    if in_background and how == "here":
        how = "process"
    if how == "job":
        return _resume_as_job(run, recipe, address or before.get("address"), notify)
    _preflight(recipe, run.storage)
    number = run.claim_launch(keep_plugins(run, recipe).to_yaml(), how=how)
    if how == "here":
        drive(run, number)
    else:
        from raylm.jobs.local import spawn

        spawn(run, number)
    return run


def _say_how_exact(start: Checkpoint | None, recipe: Recipe, notify: Notify) -> None:
    """Say that the curve will not be its twin's to the last bit where the number of workers changes."""
    now = max(1, recipe.scaling.num_workers)
    then = start.facts.get("world_size", now) if start else now
    if then != now:
        notify(f"{then} process(es) saved the checkpoint, {now} go on: losses agree but for rounding")


def claim(
    recipe: Recipe, run_id: str | None, storage: str | None, *, how: str, nodes_of: Any = None, **record: Any
) -> tuple[Run, int]:
    """Check that the recipe can run, make the run and claim its first launch; nothing is started yet.

    Raises:
        BadInput: The recipe cannot run, or the run exists already.
    """
    recipe = _settled(recipe)
    place = _check_new(run_id, recipe, storage)
    _preflight(recipe, place, nodes_of)
    run = _made(place, run_id or make_run_id(recipe.name), recipe)
    number = run.claim_launch(keep_plugins(run, recipe).to_yaml(), how=how, **record)
    run.emit("client", "launched", launch=number, how=how)
    return run, number


def _made(place: str, run_id: str, recipe: Recipe) -> Run:
    """Make the run; the checkpoint whose weights it begins with is pinned for as long as it lives."""
    source = None if recipe.init is None else recipe.init.run()
    if source is None:
        return Run.create(place, run_id, header_of(recipe))
    parent, step = source
    # Pinned first: between two steps a crash may leave a pin too many, never a run without its weights.
    init = stand_on(parent, step, f"{place}/{run_id}")
    try:
        return Run.create(place, run_id, {**header_of(recipe), "init": init})
    except BadInput as error:
        if error.problems[0].code != "run_exists":
            let_go(parent, run_id)
        raise


def _check_new(run_id: str | None, recipe: Recipe, storage: str | None) -> str:
    """Return the storage; refuse a run that exists before anything is checked or started."""
    place = resolve(storage, recipe.storage)
    if run_id is not None:
        check_run_name(run_id, "run_id")
    if run_id and Folder.open(place).exists(f"{run_id}/run.json"):
        mend = f"raylm runs resume {run_id} continues it; another --run-id starts a new one"
        raise BadInput.one("run_id", f"run {run_id} exists in {place}", mend, code="run_exists")
    return place


def _settled(recipe: Recipe) -> Recipe:
    from raylm.planning.precision import settled

    return settled(recipe)


def _preflight(recipe: Recipe, storage: str, cluster: Any = None) -> None:
    from raylm.planning import preflight

    nodes = None
    if cluster is not None:
        from raylm.jobs.nodes import list_nodes

        nodes = list_nodes(cluster.dashboard())
    elif recipe.scaling.num_workers and recipe.scaling.address:
        from raylm.jobs.head_address import check_head

        check_head(recipe.scaling.address)
    problems = preflight(recipe, storage, nodes)
    if problems:
        raise BadInput(*problems)


def _resume_as_job(run: Run, recipe: Recipe, address: str | None, notify: Notify) -> Run:
    from raylm.jobs.target import find_target

    cluster = find_target(address, notify=notify)
    _preflight(recipe, run.storage, cluster)
    number = run.claim_launch(keep_plugins(run, recipe).to_yaml(), how="job", address=cluster.reference)
    _submit(run, number, cluster.address, notify)
    return run


def _submit(run: Run, launch: int, address: str, notify: Notify) -> None:
    from raylm.jobs import ray_jobs

    try:
        ray_jobs.submit(run, launch, address, notify)
    except (BadInput, RunFailed) as error:
        Lease.acquire(run, launch).release("failed", str(error))
        raise
