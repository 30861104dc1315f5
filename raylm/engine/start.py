"""Building a session from a recipe, and bringing it to where the run stands."""

from __future__ import annotations

import os
from dataclasses import fields
from functools import partial
from typing import Any, NamedTuple

import torch

from raylm.config.errors import BadInput
from raylm.data.data_plan import data_plan, differences, plan_digest
from raylm.data.ledger import earlier_ledgers, read_ledger
from raylm.data.mixture import Order
from raylm.data.shards import Dataset
from raylm.data.shares import check_lasts, order_for
from raylm.engine import checkpoint
from raylm.engine.best import Best
from raylm.engine.checkpoint import Position
from raylm.engine.device import peak_flops, refuse_missing_precision
from raylm.engine.evaluate import evaluator_of
from raylm.engine.feed import feed_over
from raylm.engine.flops import flops_of
from raylm.engine.log import Log
from raylm.engine.loop import Outcome, train
from raylm.engine.orders import OrderDesk
from raylm.engine.parallel import LossModule, spread
from raylm.engine.restore import base_of, initial_model
from raylm.engine.session import Session
from raylm.engine.step import Stepper
from raylm.engine.world import World
from raylm.kernels.record_attention import attend_text_by_text
from raylm.recipe import Recipe
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.commands import Inbox
from raylm.runs.folder import Folder
from raylm.runs.run import Run


class Start(NamedTuple):
    """One start of the worker group: what every process needs to begin."""

    recipe: Recipe
    run: Run
    dataset: Dataset
    attempt: int
    decay_steps: int  # where the schedule ends, fixed at the run's first launch
    last_step: int


def run_training(start: Start, world: World) -> Outcome:
    """Build the model, load the newest good checkpoint if there is one, and train; every process calls it.

    Raises:
        BadInput: The data or the checkpoint do not belong to the recipe.
        RunFailed: The loss is no longer finite.
    """
    set_threads(start.recipe.scaling.threads_per_worker, is_alone=start.recipe.scaling.num_workers == 0)
    session = _build(start, world)
    try:
        _resume(session, start)
        _check_data_lasts(session, start)
        if world.is_first:  # not before: a resume that is refused must leave the run's tokenizer alone
            _keep_model_and_tokenizer(start, session.model)
        return train(session)
    finally:
        session.close()


def set_threads(threads: int | None, *, is_alone: bool) -> None:
    """Pin the arithmetic threads: as asked, else one for a worker and all cores for a process alone.

    Results depend on the number of threads, so it is a field of the recipe and stands in the run's record.
    """
    torch.set_num_threads(threads or (os.cpu_count() or 1 if is_alone else 1))


def _build(start: Start, world: World) -> Session:
    recipe, train_section = start.recipe, start.recipe.train
    refuse_missing_precision(world.device, train_section.precision)
    torch.manual_seed(train_section.seed)
    vocabulary = start.dataset.vocabulary
    if recipe.init is not None:
        world.first_does(partial(recipe.init.checkpoint, deep=True))
    model, fresh, _ = initial_model(recipe, vocabulary, start.dataset.labels)
    if world.device.type == "cpu" and recipe.objective.head == "causal":
        attend_text_by_text(model)
    module = spread(
        LossModule(model, recipe.objective),
        world,
        recipe.scaling.strategy,
        train_section.precision,
        is_adapted=recipe.adapter is not None,
    )
    optimizer = recipe.optimizer.build(model)
    stepper = Stepper(
        module, optimizer, recipe.objective, world, recipe.optimizer.max_grad_norm, train_section.seed
    )
    feed, num_rows = feed_over(start.recipe, start.dataset, "train", world, _training_order(start))
    peak, peak_source = peak_flops(world.device, train_section.precision)
    log = Log(start.run, start.attempt, recipe.trackers, is_first=world.is_first)
    log.event("started", **_facts_of_start(start, world), peak_flops=peak, peak_source=peak_source)
    if recipe.init is not None:
        log.event("initialised", source=recipe.init.source, fresh=list(fresh), **_num_weights(model))
    return Session(
        recipe=recipe,
        run=start.run,
        world=world,
        attempt=start.attempt,
        model=model,
        optimizer=optimizer,
        stepper=stepper,
        feed=feed,
        num_rows=num_rows,
        evaluator=evaluator_of(recipe, start.dataset, module, world),
        desk=OrderDesk(Inbox(start.run) if world.is_first else None),
        log=log,
        last_step=start.last_step,
        decay_steps=start.decay_steps,
        peak_flops=peak * world.size,
        flops=flops_of(recipe, vocabulary.size),
        facts=_facts_of_data(start) | _facts_of_base(start, world),
    )


def _facts_of_data(start: Start) -> dict[str, Any]:
    """Return what each checkpoint's manifest says of the data that it was trained on."""
    train = start.recipe.train
    plan = data_plan(start.dataset, start.recipe.data, train.sequence_length, train.seed)
    return {
        "data_digest": plan_digest(plan),
        "data_plan": plan,
        "tokenizer_digest": start.dataset.tokenizer_digest,
        "ledger": read_ledger(Folder.open(start.dataset.path)),
    }


def _facts_of_base(start: Start, world: World) -> dict[str, Any]:
    """Return what names the weights beneath an adapter; nothing where all weights are trained."""
    if start.recipe.adapter is None:
        return {}
    return {"base": world.first_does(partial(base_of, start.recipe, start.dataset.labels))}


def _training_order(start: Start) -> Order:
    recipe, dataset = start.recipe, start.dataset
    plan = recipe.objective.row_plan(dataset.splits["train"], recipe.train.sequence_length)
    return order_for(recipe.data, dataset.source_names, plan.source_rows, recipe.train.seed)


def _resume(session: Session, start: Start) -> None:
    """Load the run's starting checkpoint; without any it begins at step 0."""
    found, passed_over = checkpoint.find_start(start.run, session.world)
    for reason in passed_over:
        session.log.event("checkpoint_bad", reason=reason)
    if found is None:
        return
    assert found.folder is not None
    is_other_data = found.facts["data_digest"] != session.facts["data_digest"]
    if is_other_data:
        _check_data(session, found, start)
    _check_base(session, found)
    checkpoint.load(found.folder, session.tensors(), session.world)
    session.best = Best.of(found.facts)
    session.facts["earlier_ledgers"] = earlier_ledgers(found.facts, session.facts["ledger"])
    session.position = Position(**{part.name: found.facts[part.name] for part in fields(Position)})
    if is_other_data:
        session.position.cursor = 0
        session.log.event("new_cursor", reason="the fork trains on other data than its parent")
    session.desk.restore(session.position.step)
    session.log.event("resumed", step=session.position.step, world_size=session.world.size)


def _check_base(session: Session, found: Checkpoint) -> None:
    """Refuse to go on with an adapter on other weights than those it was trained on."""
    mine, its = session.facts.get("base"), found.facts.get("base")
    if mine and its and mine["digest"] != its["digest"]:
        message = f"{mine['from']} is not the one that the adapter was trained on"
        raise BadInput.one("init.from", message, "bring the old weights back", code="base_changed")


def _num_weights(model: Any) -> dict[str, int]:
    """Return how many weights there are, and how many of them are trained."""
    weights = list(model.parameters())
    trained = sum(weight.numel() for weight in weights if weight.requires_grad)
    return {"num_parameters": sum(weight.numel() for weight in weights), "num_trained": trained}


def _check_data_lasts(session: Session, start: Start) -> None:
    """Check that sources with a limit on passes hold enough for the steps that are left."""
    steps = max(0, start.last_step - session.position.step)
    check_lasts(
        _training_order(start), session.position.cursor + steps * start.recipe.train.global_batch_size
    )


def _check_data(session: Session, found: Checkpoint, start: Start) -> None:
    """Refuse to go on in other data, or as a fork with another tokenizer, whose ids mean something else.

    Raises:
        BadInput: names what differs.
    """
    if found.uri.startswith(f"{start.run.uri}/"):
        raise BadInput.one(
            "data",
            differences(found.facts.get("data_plan") or {}, session.facts["data_plan"]),
            "bring the old text and settings back, or fork the run: a fork may change its data",
            code="data_changed",
        )
    old, new = found.facts.get("tokenizer_digest"), session.facts["tokenizer_digest"]
    if old not in (None, new):
        parent = found.uri.rpartition("/checkpoints/")[0]
        raise BadInput.one(
            "tokenizer",
            f"differs from the checkpoint's (sha256 {new[:12]} vs {old[:12]})",
            f"a fork keeps the tokenizer, which lies in {parent}/tokenizer; or start a new run",
            code="tokenizer_changed",
        )


def _facts_of_start(start: Start, world: World) -> dict[str, Any]:
    return {
        "world_size": world.size,
        "device": torch.cuda.get_device_name(world.device) if world.device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "strategy": start.recipe.scaling.strategy if world.size > 1 else "none",
        "precision": start.recipe.train.precision,
        "last_step": start.last_step,
        "pid": os.getpid(),
    }


def _keep_model_and_tokenizer(start: Start, model: Any) -> None:
    """Put the model's configuration and the tokenizer into the run: export and generate need no more."""
    folder = start.run.folder
    model.config.architectures = [type(model).__name__]
    folder.write("model/config.json", model.config.to_json_string(use_diff=False).encode())
    for file in sorted(start.dataset.tokenizer_path.iterdir()):
        folder.write(f"tokenizer/{file.name}", file.read_bytes())
