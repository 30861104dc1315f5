"""In what two checkpoints differ, of one run or of two: their metrics, and what had gone into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from raylm.api.compare import Json, differing, read_side, recipe_fields, shortened
from raylm.api.save_times import SaveTimes
from raylm.config.errors import BadInput
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.run import Run
from raylm.runs.summary import checkpoint_summary


def compare_checkpoints(pairs: Sequence[tuple[Run, int]]) -> Json:
    """Return what differs, each list of values in the order of the checkpoints, None where one has none.

    That is `checkpoints` (what a list shows of each), `metrics` (every one of their manifests), and what is
    not the same in both: `recipe` (by the launch that wrote the checkpoint), `data`, `code`, `environment`.

    Raises:
        BadInput: There are not two, they are the same one, or one of them is missing or damaged.
    """
    if len(pairs) != 2:  # noqa: PLR2004 - a pair
        raise BadInput.one("checkpoints", f"{len(pairs)} given", "choose two", code="few")
    checkpoints = [_usable(run, step) for run, step in pairs]
    if checkpoints[0].uri == checkpoints[1].uri:
        raise BadInput.one("checkpoints", "both are the same one", "choose two", code="duplicate")
    sides = [read_side(run, run.name) for run, _ in pairs]
    recipes = [recipe_fields(run, launch_of(run, step)) for run, step in pairs]
    return {
        "checkpoints": [
            {"run_id": run.run_id, "name": run.name, **checkpoint_summary(one)}
            for (run, _), one in zip(pairs, checkpoints, strict=True)
        ],
        "metrics": _side_by_side([one.facts.get("metrics") or {} for one in checkpoints]),
        "recipe": shortened(differing(recipes), [run.storage for run, _ in pairs]),
        "data": differing([one.data for one in sides]),
        "code": differing([one.code for one in sides]),
        "environment": differing([one.environment for one in sides]),
    }


def launch_of(run: Run, step: int) -> int | None:
    """Return the launch that wrote a checkpoint; None where the events do not tell."""
    saved = SaveTimes().of(run).get(step)
    before = [one["launch"] for one in run.launches() if saved and (one.get("when") or 0) <= saved]
    return max(before, default=None)


def _usable(run: Run, step: int) -> Checkpoint:
    if step not in run.checkpoints.steps():
        mend = f"there are: {', '.join(map(str, run.checkpoints.steps())) or 'none'}"
        raise BadInput.one("step", f"{run.run_id} has no checkpoint of step {step}", mend, code="no_step")
    found = run.checkpoints.show(step)
    if found.is_bad:
        raise BadInput.one("step", f"{step} is {found.state}", "choose another step", code="corrupt")
    return found


def _side_by_side(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {
        name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)
    }
