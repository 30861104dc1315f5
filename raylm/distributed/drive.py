"""The driver of a run: holds its lease, prepares its data, starts its workers and starts them again."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from raylm.config.errors import BadInput, RunFailed
from raylm.data.data_plan import data_plan, plan_digest
from raylm.data.fetch import fetch
from raylm.data.ledger import read_ledger
from raylm.data.packing import Packing
from raylm.data.prepare import prepare
from raylm.data.progress import Progress
from raylm.data.shards import Dataset
from raylm.data.shares import check_lasts, order_for
from raylm.distributed.worker import Work, work
from raylm.recipe import Recipe, token_problems
from raylm.runs import commands
from raylm.runs.folder import Folder
from raylm.runs.lease import Lease
from raylm.runs.run import Run
from raylm.runs.segments import last_record
from raylm.runs.status import Status

OnProgress = Callable[[Progress], None]


def drive(run: Run, launch: int, on_prepare: OnProgress | None = None) -> Status:
    """Carry a claimed launch through to its end; return the run's status then.

    Raises:
        BadInput: The recipe cannot be run, or somebody else holds the run.
        RunFailed: Training failed for good.
    """
    lease = Lease.acquire(run, launch)
    reached = _last_step(run)
    ended = {"status": "failed", "reason": "interrupted before it could save a checkpoint", "mend": ""}
    try:
        with _stop_on_signal(run):
            run.checkpoints.sweep()
            ended = _train(Recipe.from_yaml(run.recipe_yaml(launch)), run, lease, on_prepare)
    except BadInput as error:
        problem = error.problems[0]
        ended |= {"reason": str(replace(problem, mend="")), "mend": problem.mend}
        if _last_step(run) == reached:
            with contextlib.suppress(OSError):  # on a full disk what is wrong is told all the same
                run.refuse_launch(launch, ended["reason"])
        raise
    except RunFailed as error:
        ended |= {"reason": error.reason, "mend": error.mend}
        raise
    except OSError as error:  # a full or vanished storage: the person's to mend, as the message says
        ended |= {"reason": str(error), "mend": f"raylm runs resume {run.run_id} goes on once it is mended"}
        raise RunFailed(ended["reason"], ended["mend"]) from error
    except Exception as error:
        ended |= {"reason": f"{type(error).__name__}: {error}", "mend": f"see: raylm runs logs {run.run_id}"}
        raise
    finally:
        run.emit("driver", ended["status"], reason=ended["reason"])
        lease.release(ended["status"], ended["reason"], mend=ended["mend"], step=_last_step(run))
    return run.status()


def _train(recipe: Recipe, run: Run, lease: Lease, on_prepare: OnProgress | None) -> dict[str, Any]:
    dataset_uri, num_rows = _prepare(recipe, run, on_prepare)
    last = recipe.train.num_steps(num_rows)
    horizon = _horizon(recipe, run, last)
    lease.update(max_steps=last)

    def start_attempt() -> Work:
        return Work(run.uri, recipe.to_yaml(), dataset_uri, lease.start_attempt(), horizon, last)

    if recipe.scaling.num_workers == 0:
        return _settle(work(start_attempt()._asdict()))
    # Inside a Ray job the cluster is the job's own, which RAY_ADDRESS names; the recipe's address led there.
    is_job = run.launches()[-1].get("how") == "job"
    address = None if is_job else recipe.scaling.address
    return _settle(_train_on_ray(recipe, run, address, start_attempt))


def _settle(outcome: dict[str, Any]) -> dict[str, Any]:
    """Turn a failure that came back as a value into the exception that it is."""
    if outcome["status"] != "failed":
        return outcome
    if outcome.get("field"):
        raise BadInput.one(outcome["field"], outcome["reason"], outcome["mend"])
    raise RunFailed(outcome["reason"], outcome["mend"])


def _prepare(recipe: Recipe, run: Run, on_prepare: OnProgress | None) -> tuple[str, int]:
    """Return where the run's prepared data lies and the rows of its training split."""
    uri = prepare(recipe.data, recipe.tokenizer, run.storage, on_prepare, lesson=recipe.lesson).uri
    dataset = Dataset.open(fetch(uri, recipe.data.cache_path), Packing.of(recipe.data))
    _check_vocabulary(recipe, dataset)
    plans = {
        name: recipe.objective.row_plan(split, recipe.train.sequence_length)
        for name, split in dataset.splits.items()
    }
    rows = {name: plan.num_rows for name, plan in plans.items()}
    _check_rows(rows, recipe)
    if not run.header().get("parent"):  # how much a fork still needs is known when it has its checkpoint
        order = order_for(recipe.data, dataset.source_names, plans["train"].source_rows, recipe.train.seed)
        check_lasts(order, recipe.train.num_steps(rows["train"]) * recipe.train.global_batch_size)
    notes = [f"{name} split: {note}" for name, plan in plans.items() for note in plan.notes]
    _record_data(recipe, run, dataset)
    run.emit("driver", "prepared", dataset=uri, digest=dataset.digest, rows=rows, notes=notes)
    return uri, rows["train"]


def _record_data(recipe: Recipe, run: Run, dataset: Dataset) -> None:
    """Put the data into the run's record; from its first checkpoint on, a run keeps its data."""
    if not run.checkpoints.steps():
        plan = data_plan(dataset, recipe.data, recipe.train.sequence_length, recipe.train.seed)
        ledger = read_ledger(Folder.open(dataset.path))
        run.add_to_header(data_digest=plan_digest(plan), ledger=ledger)


def _check_vocabulary(recipe: Recipe, dataset: Dataset) -> None:
    """Refuse data whose tokenizer lacks what the objective needs, or has more ids than the model knows."""
    vocabulary, train = dataset.vocabulary, recipe.train
    problems = [
        *token_problems(recipe, vocabulary),
        *recipe.model.problems(recipe.objective.head, train.sequence_length, vocabulary.size),
    ]
    if problems:
        raise BadInput(*problems)


def _check_rows(rows: dict[str, int], recipe: Recipe) -> None:
    batch = recipe.train.global_batch_size
    if rows["train"] < batch:
        raise BadInput.one(
            "data",
            f"{rows['train']} training sequences of {recipe.train.sequence_length} tokens are fewer than "
            f"train.global_batch_size ({batch})",
            "add text, or lower train.global_batch_size or train.sequence_length",
            code="too_little_data",
        )


def _horizon(recipe: Recipe, run: Run, last: int) -> int:
    """Return the step at which the schedule ends; the first launch fixes it, a raised limit does not."""
    noted = next((event for event in run.events() if event.get("event") == "scheduled"), None)
    if noted is None:
        noted = {"decay_steps": recipe.schedule.decay_steps or last}
        run.emit("driver", "scheduled", **noted)
    return noted["decay_steps"]


def _train_on_ray(
    recipe: Recipe, run: Run, address: str | None, start_attempt: Callable[[], Work]
) -> dict[str, Any]:
    from raylm.distributed.cluster import connected
    from raylm.distributed.fit import WorkersLost, fit

    failed_at: list[int] = []
    with connected(address) as nodes, _stop_on_signal(run):  # again: ray.init takes SIGTERM for itself
        if problem := recipe.scaling.placement_problem(nodes):
            raise BadInput(problem)
        run.emit("driver", "connected", nodes=len(nodes), cpus=sum(node.cpus for node in nodes))
        while True:
            job = start_attempt()
            name = f"{run.run_id}-a{job.attempt}"
            try:
                return fit(job._asdict(), recipe.scaling, name, (run.folder / "logs" / "ray").uri)
            except WorkersLost as lost:
                failed_at.append(_last_step(run))
                run.emit("driver", "worker_lost", attempt=job.attempt, step=failed_at[-1], reason=str(lost))
                if reason := why_give_up(failed_at, recipe.scaling.max_restarts):
                    raise RunFailed(f"{reason}: {lost}", f"see: raylm runs logs {run.run_id}") from None


def _last_step(run: Run) -> int:
    return (last_record(run.folder) or {"step": 0})["step"]


def why_give_up(failed_at: Sequence[int], max_restarts: int) -> str:
    """Return why the workers are not started again, or "" when they are.

    Args:
        failed_at: The last recorded step before each failure, oldest first.
        max_restarts: How many restarts the recipe allows.
    """
    if len(failed_at) > 1 and failed_at[-1] == failed_at[-2]:
        return f"workers died twice after step {failed_at[-1]}, so another start would not help"
    if len(failed_at) > max_restarts:
        return f"workers died {len(failed_at)} times (scaling.max_restarts is {max_restarts})"
    return ""


@contextlib.contextmanager
def _stop_on_signal(run: Run) -> Iterator[None]:
    """While the block runs, SIGTERM and SIGINT ask for a checkpoint and an end, as a person's stop does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(_number: int, _frame: Any) -> None:
        restore()  # whoever asks a second time will not wait for a checkpoint
        commands.send(run, "stop", is_preempted=True)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    # Whoever starts a process with a signal ignored, as a shell does in the background, wants it ignored.
    before = {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, ask)
    try:
        yield
    finally:
        restore()
