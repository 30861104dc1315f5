"""Everything that can be known to go wrong before a worker starts, in under a second."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from raylm.config import BadInput, Node, Problem
from raylm.config.placement import Demand
from raylm.data.phases import filter_problems
from raylm.planning.estimate import Plan, plan
from raylm.planning.machine import is_local_disk, this_machine
from raylm.planning.trained import refuse_unmatched
from raylm.recipe import Recipe, token_problems
from raylm.runs.folder import Folder
from raylm.runs.storages import check_writable


class _Case(NamedTuple):
    """What the checks look at; `nodes` is None where the cluster is asked later."""

    recipe: Recipe
    storage: str
    nodes: Sequence[Node] | None
    plan: Plan


def preflight(recipe: Recipe, storage: str, nodes: Sequence[Node] | None = None) -> list[Problem]:
    """Return every problem that would stop the run, with stable codes; an empty list means go.

    Args:
        recipe: what is to run.
        storage: where the run would live, resolved.
        nodes: the cluster's nodes; this machine where not given, unless the recipe names an address.
    """
    if nodes is None and not _is_elsewhere(recipe):
        nodes = [this_machine()]
    lacking = [] if recipe.adapter is None or _is_elsewhere(recipe) else list(recipe.adapter.problems())
    if any(problem.code == "missing_package" for problem in lacking):
        return lacking  # without it no plan can be made
    case = _Case(recipe, storage, nodes, plan(recipe, storage))
    return [problem for check in _CHECKS for problem in check(case)]


def _is_elsewhere(recipe: Recipe) -> bool:
    """Whether the workers run on a cluster that exists already, which is asked when it is reached."""
    return recipe.scaling.num_workers > 0 and bool(recipe.scaling.address or os.environ.get("RAY_ADDRESS"))


def _sources_can_be_read(case: _Case) -> Iterator[Problem]:
    if case.recipe.data.path is not None:
        return
    for number, source in enumerate(case.recipe.data.sources):
        try:
            source.inputs()
        except BadInput as error:
            yield from (_renamed(problem, f"data.sources.{number}.") for problem in error.problems)


def _filters_fit_the_sources(case: _Case) -> Iterator[Problem]:
    if case.recipe.data.path is None:
        yield from filter_problems(case.recipe.data)


def _tokenizer_can_be_read(case: _Case) -> Iterator[Problem]:
    """One that is trained already looks at no text, so that it can be read right now."""
    if case.recipe.tokenizer.reads_texts:
        return
    try:
        vocabulary = case.recipe.tokenizer.train(iter(())).vocabulary()
    except BadInput as error:
        yield from error.problems
        return
    if case.recipe.data.path is None:
        yield from token_problems(case.recipe, vocabulary)
        others = _model_problems(case.recipe, None)
        yield from (each for each in _model_problems(case.recipe, vocabulary.size) if each not in others)


def _model_can_be_read(case: _Case) -> Iterator[Problem]:
    known = case.plan.vocab_size if case.recipe.tokenizer.reads_texts else None
    yield from _model_problems(case.recipe, known)


def _model_problems(recipe: Recipe, vocab_size: int | None) -> list[Problem]:
    return recipe.model.problems(recipe.objective.head, recipe.train.sequence_length, vocab_size)


def _adapter_can_be_trained(case: _Case) -> Iterator[Problem]:
    """What the adapter needs is here, and its names, like those of frozen weights, match something."""
    adapter = case.recipe.adapter
    lacking = [] if adapter is None else list(adapter.problems())
    if not _is_elsewhere(case.recipe):
        yield from lacking
    if any(problem.code == "missing_package" for problem in lacking):
        return
    try:
        refuse_unmatched(case.recipe, case.plan.vocab_size or 1)
    except BadInput as error:
        yield from error.problems


def _first_weights_are_there(case: _Case) -> Iterator[Problem]:
    """The checkpoint that a run begins with may have been damaged since the recipe was read."""
    if case.recipe.init is not None:
        try:
            case.recipe.init.checkpoint()
        except BadInput as error:
            yield from (Problem("init.from", each.message, each.mend, code="init") for each in error.problems)


def _renamed(problem: Problem, prefix: str) -> Problem:
    field = problem.field if problem.field.startswith("data.") else prefix + problem.field
    return Problem(field, problem.message, problem.mend, problem.location, problem.code or "source")


def _storage_can_be_written(case: _Case) -> Iterator[Problem]:
    problem = check_writable(case.storage, _num_checkpoints(case) * (case.plan.checkpoint_bytes or 0))
    if problem is not None:
        yield problem


def _num_checkpoints(case: _Case) -> int:
    """Return how many lie there at once: one more than is kept, as a new one is whole before an old goes."""
    section, steps = case.recipe.checkpoint, case.plan.steps
    made = section.keep_last if steps is None else steps // section.every_steps + 1
    return min(made, section.keep_last) + 1


def _storage_is_shared(case: _Case) -> Iterator[Problem]:
    """A worker on another machine does not see a folder of this one."""
    machines = {node.name for node in case.nodes or () if _demand(case.recipe).workers_on(node)}
    init = case.recipe.init
    places = {"storage": case.storage} | ({} if init is None else {"init.from": init.source})
    for field, place in places.items():
        path = Folder.open(place).local_path()
        if path is None or len(machines) <= 1 or not is_local_disk(path):
            continue
        message = f"{path} is on this machine's disk, workers may run on {len(machines)} nodes"
        yield Problem(field, message, "name a folder that all nodes share, or s3://...", code="storage_local")


def _workers_fit(case: _Case) -> Iterator[Problem]:
    if case.nodes is None:
        return
    problem = case.recipe.scaling.placement_problem(case.nodes)
    if problem is not None:
        yield problem


def _memory_suffices(case: _Case) -> Iterator[Problem]:
    """Compare with a node's memory; a GPU's own memory is not known before its worker starts."""
    scaling, needed = case.recipe.scaling, case.plan.memory_bytes
    if needed is None or case.nodes is None or scaling.gpus_per_worker:
        return
    room = [node.memory_bytes // _share(case.recipe, node) for node in case.nodes if node.memory_bytes]
    if room and max(room) < needed:
        message = f"the model needs {needed / 1e9:.1f} GB a worker, one has {max(room) / 1e9:.1f} GB"
        mend = "try a smaller model, a smaller train.micro_batch_size, or scaling.strategy=fsdp"
        yield Problem("model", message, mend, code="memory")


def _share(recipe: Recipe, node: Node) -> int:
    """Return among how many workers a node's memory is shared."""
    return max(1, _demand(recipe).workers_on(node))


def _data_fills_a_step(case: _Case) -> Iterator[Problem]:
    wanted, rows = case.recipe.train.global_batch_size, case.plan.train_rows
    if rows is not None and rows < wanted:
        message = f"{wanted} sequences are more than the {rows} of the training text"
        yield Problem("train.global_batch_size", message, f"try {max(1, rows // 2)}", code="data_small")


def _demand(recipe: Recipe) -> Demand:
    scaling = recipe.scaling
    return Demand(max(1, scaling.num_workers), scaling.cpus_per_worker, scaling.gpus_per_worker)


_CHECKS: tuple[Callable[[_Case], Iterable[Problem]], ...] = (
    _sources_can_be_read,
    _filters_fit_the_sources,
    _model_can_be_read,
    _adapter_can_be_trained,
    _first_weights_are_there,
    _tokenizer_can_be_read,
    _storage_can_be_written,
    _storage_is_shared,
    _workers_fit,
    _memory_suffices,
    _data_fills_a_step,
)
