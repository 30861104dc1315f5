"""How fast runs like this one were on this hardware: the only source of a time in a plan."""

import json
import math
import os
from collections.abc import Iterable
from statistics import median
from typing import Any, NamedTuple

from raylm.config import BadInput
from raylm.recipe import Recipe
from raylm.runs.catalogue import list_runs
from raylm.runs.owner import host
from raylm.runs.read import read
from raylm.runs.run import Run

NEWEST = 50  # runs looked at
FARTHEST = 4.0  # a model of up to so many times more or fewer FLOPs per token counts as similar
WARM_UP_STEPS = 5  # first steps, which are slower


class Speed(NamedTuple):
    """A past run's speed in FLOP/s, and the run it was seen in."""

    flops_per_second: float
    run_id: str


def past_speed(recipe: Recipe, flops_per_token: float, storages: Iterable[str] | None = None) -> Speed | None:
    """Return the speed of the most similar past run, the newest of equals; None where there is none.

    Similar: the same model family, precision (any, where it is left to the hardware), workers and devices, on
    this machine, with at most four times more or fewer FLOPs per token.
    """
    best: Speed | None = None
    best_distance = math.log(FARTHEST)
    for run in list_runs(storages)[:NEWEST]:
        seen = _seen(run, recipe)
        if seen is None:
            continue
        distance = abs(math.log(seen.flops_per_token / flops_per_token))
        if distance < best_distance or (best is None and distance == best_distance):
            best_distance = distance
            best = Speed(seen.tokens_per_second * seen.flops_per_token, run.run_id)
    return best


class _Seen(NamedTuple):
    flops_per_token: float
    tokens_per_second: float


def _seen(run: Run, wanted: Recipe) -> _Seen | None:
    """Return what a comparable run measured; None for any other, a damaged one included."""
    try:
        if not _is_same_machine(run.header()):
            return None
        past = Recipe.from_yaml(run.recipe_yaml())
        is_other_precision = wanted.train.precision not in ("auto", past.train.precision)
        if is_other_precision or _setting(past) != _setting(wanted):
            return None
        model = json.loads(run.folder.read("model/config.json"))
        records, _ = read(run, "metrics")
    except (BadInput, OSError, ValueError):
        return None
    speeds = [record.get("throughput/tokens_per_second") for record in records[WARM_UP_STEPS:]]
    known = [speed for speed in speeds if isinstance(speed, int | float) and speed > 0]
    if not known:
        return None
    flops = past.model.flops_per_token(model["vocab_size"], past.train.sequence_length)
    return _Seen(flops, median(known))


def _is_same_machine(header: dict[str, Any]) -> bool:
    return header.get("host") == host() and header.get("cpu_count") == os.cpu_count()


def _setting(recipe: Recipe) -> tuple[Any, ...]:
    """Return what beside the precision must be equal for two runs' speeds to be comparable."""
    scaling = recipe.scaling
    workers = (scaling.num_workers, scaling.gpus_per_worker, scaling.threads_per_worker, scaling.strategy)
    return (getattr(recipe.model, "kind", None), scaling.address, *workers)
