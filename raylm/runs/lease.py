"""The right to drive a run: one owner at a time, with a heartbeat; a number fences former owners off."""

import json
import threading
import time
from typing import Any, Self

from raylm.config.errors import BadInput, Problem
from raylm.runs.append import next_attempt, seal
from raylm.runs.owner import is_dead, is_here, this_process
from raylm.runs.run import Run
from raylm.runs.status import (
    HEARTBEAT_S,
    LIVE,
    TIME_TO_LIVE_S,
    is_abandoned,
    launch_numbers,
    read_json,
    read_status,
)


class Fenced(Exception):  # noqa: N818 - says what happened to the former owner
    """Somebody else holds the run now; this process must stop writing to it."""


class Lease:
    """Held by the driver of a run; the only writer of status.json.

    Each holder takes the next number by exclusive creation of `leases/<number>.json`: a process that slept
    through the loss of its lease finds a higher number and is refused.
    """

    def __init__(self, run: Run, number: int, launch: int) -> None:
        self.run = run
        self.number = number
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # its own, so that `note` never waits for storage
        self._is_over = threading.Event()
        self._is_fenced = False
        self._values = _carried(run) | {
            "lease": number,
            "launch": launch,
            "owner": this_process(),
            "status": "running",
        }
        self._values["submission_id"] = (read_json(run.folder, f"launches/{launch}.json") or {}).get(
            "submission_id"
        )
        self._write()
        self._thread = threading.Thread(target=self._beat, name="raylm-lease", daemon=True)
        self._thread.start()

    @classmethod
    def acquire(cls, run: Run, launch: int | None = None) -> Self:
        """Take the run for a launch, by default the newest, and begin the heartbeat.

        An owner that is dead on this host is replaced at once, a silent one after its time to live.

        Raises:
            BadInput: another process holds the run; names its host, pid and last heartbeat.
        """
        before = max(_numbers(run), default=0)
        written = read_status(run.folder)
        if written.get("status") in LIVE and not _may_replace(run, written):
            raise _held(run, written)
        number = max(before, written.get("lease", 0)) + 1
        try:
            run.folder.create(f"leases/{number}.json", json.dumps(this_process()).encode())
        except FileExistsError:
            raise _held(run, read_json(run.folder, f"leases/{number}.json") or {}) from None
        return cls(run, number, launch if launch is not None else max(launch_numbers(run.folder), default=0))

    @property
    def is_held(self) -> bool:
        """Whether this process may still write; turns False when another took over."""
        return not self._is_fenced and not self._is_over.is_set()

    def start_attempt(self) -> int:
        """Return the number of a new start of the worker group; older attempts' torn lines are cut."""
        attempt = next_attempt(self.run)
        self.update("running", attempt=attempt)
        seal(self.run, attempt)
        return attempt

    def update(self, status: str | None = None, reason: str | None = None, **fields: Any) -> None:
        """Write the status now. Fields keep their values until changed: step, max_steps, attempt, mend.

        Raises:
            Fenced: another process holds the run.
        """
        self._set(status, reason, fields)
        self._write()

    def note(self, **fields: Any) -> None:
        """Change fields; they are written with the next heartbeat. Costs nothing."""
        self._set(None, None, fields)

    def release(self, status: str, reason: str = "", **fields: Any) -> None:
        """Write the final status and end the heartbeat; once fenced there is nothing to write."""
        if self._is_over.is_set():
            return
        self._is_over.set()
        self._thread.join()
        self._set(status, reason, fields)
        try:
            self._write()
        except Fenced:
            return

    def _set(self, status: str | None, reason: str | None, fields: dict[str, Any]) -> None:
        with self._lock:
            named = {"status": status, "reason": reason}
            self._values.update({name: value for name, value in named.items() if value is not None}, **fields)

    def _write(self) -> None:
        with self._writing:
            if not self._is_newest():
                self._is_fenced = True
                raise Fenced(f"{self.run.run_id}: another process holds the run, lease {self.number} is over")
            now = round(time.time(), 3)
            with self._lock:
                values = {"format": 1, **self._values, "heartbeat": now, "updated": now}
            self.run.folder.write("status.json", json.dumps(values, indent=1, default=str).encode())

    def _is_newest(self) -> bool:
        folder = self.run.folder
        return folder.exists(f"leases/{self.number}.json") and not folder.exists(
            f"leases/{self.number + 1}.json"
        )

    def _beat(self) -> None:
        while not self._is_over.wait(HEARTBEAT_S):
            try:
                self._write()
            except Fenced:
                return
            except OSError:
                continue  # storage out of reach: readers see the heartbeat age, and say so


def _carried(run: Run) -> dict[str, Any]:
    """Return what a new owner keeps of the former status."""
    written = read_status(run.folder)
    return {name: written[name] for name in ("step", "max_steps", "attempt") if name in written}


def _numbers(run: Run) -> list[int]:
    stems = (name.removesuffix(".json") for name in run.folder.names("leases"))
    return [int(stem) for stem in stems if stem.isdigit()]


def _may_replace(run: Run, written: dict[str, Any]) -> bool:
    owner = written.get("owner") or {}
    if is_dead(owner):
        return True
    return is_abandoned(written) and (is_here(owner) or _stays_silent(run, written))


def _stays_silent(run: Run, written: dict[str, Any]) -> bool:
    """Watch an owner on another host for one heartbeat: clocks may be wrong, a heartbeat is not."""
    end = time.monotonic() + HEARTBEAT_S * 1.2
    while time.monotonic() < end:
        time.sleep(min(1.0, HEARTBEAT_S / 4))
        if read_status(run.folder).get("heartbeat") != written.get("heartbeat"):
            return False
    return True


def _held(run: Run, written: dict[str, Any]) -> BadInput:
    owner = written.get("owner") or written
    beat = written.get("heartbeat")
    since = f", last heard of {max(0.0, time.time() - float(beat)):.0f} s ago" if beat else ""
    message = (
        f"{run.run_id} is held by {owner.get('host')} pid {owner.get('pid')} ({owner.get('person')}){since}"
    )
    mend = (
        f"stop it with: raylm runs stop {run.run_id}; a silent owner is replaced after {TIME_TO_LIVE_S:.0f} s"
    )
    return BadInput(Problem("run", message, mend, code="held"))
