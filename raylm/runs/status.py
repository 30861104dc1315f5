"""A run's state as a reader sees it: what its owner wrote, corrected by what can be seen from outside."""

import json
import time
from dataclasses import dataclass, field, replace
from typing import Any

from raylm.runs.folder import Folder
from raylm.runs.owner import is_dead
from raylm.runs.segments import last_record

HEARTBEAT_S = 10.0
TIME_TO_LIVE_S = 60.0
START_LIMIT_S = 120.0  # a process launched on this or another host takes seconds; a queued job may take days
LIVE = ("pending", "running", "stopping")
ENDED = ("stopped", "finished", "failed", "preempted", "lost")
_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("status", "reason", "mend", "submission_id"), str),
    **dict.fromkeys(("step", "max_steps", "attempt", "launch", "lease"), int),
    **dict.fromkeys(("heartbeat", "updated"), (int, float)),
    "owner": dict,
}


@dataclass(frozen=True)
class Status:
    """One of `pending running stopping stopped finished failed preempted lost`, and why."""

    status: str
    reason: str = ""
    mend: str = ""
    step: int = 0
    max_steps: int | None = None
    attempt: int = 0
    launch: int = 0
    owner: dict[str, Any] = field(default_factory=dict)
    """host, pid, launch of the process that holds the run."""
    heartbeat: float | None = None
    """Seconds since 1970 at which the owner last said it lives."""
    updated: float | None = None
    submission_id: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    """Whatever else the owner wrote."""

    @property
    def is_live(self) -> bool:
        """Whether somebody holds the run or is about to."""
        return self.status in LIVE


def read_json(folder: Folder, name: str) -> dict[str, Any] | None:
    """Return a JSON file's object; None where it is missing or unreadable."""
    try:
        value = json.loads(folder.read(name))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def launch_numbers(folder: Folder) -> list[int]:
    """Return the claimed launches' numbers, ascending."""
    names = (name.removesuffix(".json") for name in folder.names("launches") if name.endswith(".json"))
    return sorted(int(name) for name in names if name.isdigit())


def derive(folder: Folder, header: dict[str, Any]) -> Status:
    """Return the state of the run in `folder`, whose run.json says `header`."""
    written = read_status(folder)
    launch = max(launch_numbers(folder), default=0)
    if launch > written.get("launch", 0):
        return _launched(folder, launch, written)
    if not written:
        return _never_launched(header)
    return _written(folder, written)


def read_status(folder: Folder) -> dict[str, Any]:
    """Return what the owner wrote, without values of a wrong type; empty where it wrote nothing."""
    values = read_json(folder, "status.json") or {}
    return {name: value for name, value in values.items() if isinstance(value, _TYPES.get(name, object))}


def is_abandoned(written: dict[str, Any]) -> bool:
    """Whether the owner of a status that says `running` is dead or has been silent for too long."""
    silent_for = time.time() - written.get("heartbeat", 0)
    return is_dead(written.get("owner", {})) or silent_for > TIME_TO_LIVE_S


def has_pending_stop(folder: Folder, launch: int) -> bool:
    """Whether a stop for this launch lies in the inbox."""
    return any(name.endswith(f".l{launch}.stop.json") for name in folder.names("commands"))


def _written(folder: Folder, written: dict[str, Any]) -> Status:
    status = _as_status(written)
    if status.status in ENDED:
        return status
    if not status.is_live:
        return replace(status, status="lost", reason="status.json is damaged")
    newest = last_record(folder)
    if newest is not None and newest.get("attempt") == status.attempt:
        status = replace(status, step=newest["step"])  # fresher than the heartbeat
    if is_abandoned(written):
        owner = status.owner
        reason = f"its process ({owner.get('host')}, pid {owner.get('pid')}) is gone"
        mend = "raylm runs resume continues from the last good checkpoint"
        return replace(status, status="lost", reason=reason, mend=mend)
    if has_pending_stop(folder, status.launch):
        return replace(status, status="stopping", reason="asked to stop")
    return status


def _launched(folder: Folder, launch: int, written: dict[str, Any]) -> Status:
    """A launch was claimed and its process has not said anything yet."""
    record = read_json(folder, f"launches/{launch}.json") or {}
    before = _as_status(written) if written else Status("pending")
    when = record.get("when")
    since = when if isinstance(when, int | float) else 0
    status = Status(
        "pending",
        step=before.step,
        max_steps=before.max_steps,
        attempt=before.attempt,
        launch=launch,
        updated=since,
        submission_id=record.get("submission_id"),
    )
    is_stopped = has_pending_stop(folder, launch)
    if record.get("how") != "job" and time.time() - since > START_LIMIT_S:
        if is_stopped:  # nobody is there to obey, and nobody needs to be
            return replace(status, status="stopped", reason="stopped before it began")
        reason = f"launch {launch} never started"
        return replace(status, status="lost", reason=reason, mend="raylm runs resume launches it again")
    return replace(status, status="stopping", reason="asked to stop") if is_stopped else status


def _never_launched(header: dict[str, Any]) -> Status:
    if header.get("parent"):
        step = header["parent"]["step"]
        return Status("stopped", "forked, not launched yet", "raylm runs resume starts it", step=step)
    if time.time() - header["created"] > START_LIMIT_S:
        return Status("lost", "was never launched", "delete it, or raylm runs resume")
    return Status("pending")


def _as_status(written: dict[str, Any]) -> Status:
    known = {
        name: written[name] for name in Status.__dataclass_fields__ if name in written and name != "fields"
    }
    rest = {name: value for name, value in written.items() if name not in known}
    return Status(**{"status": "lost", **known}, fields=rest)
