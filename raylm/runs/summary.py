"""A run in plain values, for the command line, the screens and other programs."""

import time
from typing import Any

from raylm.config.amounts import size_text
from raylm.config.errors import BadInput
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.run import Run

__all__ = ["age", "checkpoint_summary", "size_text", "summary"]


def summary(run: Run) -> dict[str, Any]:
    """Return what a list of runs shows; a damaged run says so in `reason`."""
    status = run.status()
    header = _header_or_nothing(run)
    return {
        "run_id": run.run_id,
        "name": run.name,
        "status": status.status,
        "reason": status.reason,
        "mend": status.mend,
        "step": status.step,
        "max_steps": status.max_steps,
        "attempt": status.attempt,
        "launch": status.launch,
        "owner": status.owner,
        "heartbeat": status.heartbeat,
        "updated": status.updated,
        "submission_id": status.submission_id,
        "created": header.get("created"),
        "person": header.get("person"),
        "parent": header.get("parent"),
        "storage": run.storage,
        "uri": run.uri,
    }


def checkpoint_summary(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return a checkpoint as a list shows it."""
    return {
        "step": checkpoint.step,
        "state": checkpoint.state,
        "bytes": checkpoint.num_bytes,
        "uri": checkpoint.uri,
        "digest": checkpoint.digest,
        **{key: checkpoint.facts.get(key) for key in ("tokens_seen", "metrics", "world_size")},
    }


def age(when: float | None) -> str:
    """Return how long ago a time in seconds since 1970 was: `14 s`, `3 min`, `2 h`, `5 d`."""
    if not when:
        return ""
    seconds = max(0.0, time.time() - when)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _header_or_nothing(run: Run) -> dict[str, Any]:
    try:
        return run.header()
    except BadInput:
        return {}
