"""What each training process runs, whoever started it: this process, Ray or torchrun."""

from __future__ import annotations

from typing import Any, NamedTuple


class Work(NamedTuple):
    """One start of the worker group as plain values, so that nothing but text travels to the workers."""

    run_uri: str
    recipe_yaml: str
    dataset_uri: str
    attempt: int
    decay_steps: int
    last_step: int


def work(values: dict[str, Any]) -> dict[str, Any]:
    """Train in this process; return how it ended: status, step, reason, mend, and the field of bad input.

    A mistake or a failure of training comes back as a value: the driver must not take it for a dead worker.
    """
    from raylm.config.errors import BadInput, RunFailed

    try:
        return _train(Work(**values))
    except BadInput as error:
        problem = error.problems[0]
        return {
            "status": "failed",
            "step": 0,
            "reason": problem.message,
            "mend": problem.mend,
            "field": problem.field,
        }
    except RunFailed as error:
        return {"status": "failed", "step": 0, "reason": error.reason, "mend": error.mend}


def _train(job: Work) -> dict[str, Any]:
    # Imported here, as the driver imports this module and needs neither torch nor transformers.
    import torch

    from raylm.config.errors import RunFailed
    from raylm.data.fetch import fetch
    from raylm.data.packing import Packing
    from raylm.data.shards import Dataset
    from raylm.distributed.rank_log import rank_log
    from raylm.engine.start import Start, run_training
    from raylm.engine.world import World
    from raylm.recipe import Recipe
    from raylm.runs.run import Run

    recipe = Recipe.from_yaml(job.recipe_yaml)
    world = World.join(use_gpu=torch.cuda.is_available() and _may_use_gpu(recipe))
    local = fetch(job.dataset_uri, recipe.data.cache_path)
    dataset = Dataset.open(local, Packing.of(recipe.data))
    start = Start(recipe, Run.from_uri(job.run_uri), dataset, job.attempt, job.decay_steps, job.last_step)
    with rank_log(start.run, world.rank, job.attempt):
        try:
            outcome = run_training(start, world)
        except torch.OutOfMemoryError as error:
            raise RunFailed(str(error).splitlines()[0], "lower train.micro_batch_size") from error
    world.leave()
    return {"status": outcome.status, "step": outcome.step, "reason": outcome.reason, "mend": ""}


def _may_use_gpu(recipe: Any) -> bool:
    """A process alone takes the GPU that it finds; a worker only one that it was given."""
    return recipe.scaling.num_workers == 0 or recipe.scaling.gpus_per_worker > 0
