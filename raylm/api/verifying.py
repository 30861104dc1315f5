"""Verifications that a screen asks for: each reads every byte, which takes a while where there are many."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from raylm.runs.checkpoints import Checkpoint, Checkpoints
from raylm.runs.run import Run


@dataclass
class Verification:
    """One checkpoint being read, from its first byte to what was found."""

    run_id: str
    step: int
    total_bytes: int
    bytes: int = 0
    """Read so far."""
    state: str = "reading"
    """`reading`, `good`, or `bad` for a `reason`."""
    reason: str = ""
    started: float = field(default_factory=time.time)
    ended: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what a screen shows of it."""
        names = ("run_id", "step", "state", "reason", "bytes", "total_bytes")
        seconds = round((self.ended or time.time()) - self.started, 1)
        return {**{name: getattr(self, name) for name in names}, "seconds": seconds}


class Verifications:
    """The newest verification of each checkpoint, of those begun in this process; each in its own thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[tuple[str, int], Verification] = {}
        # Why a checkpoint is bad, by its manifest's digest: its names and sizes alone would not tell.
        self._bad: dict[tuple[str, str], Checkpoint] = {}

    def begun(self) -> list[Verification]:
        """Return all of them, newest first."""
        return sorted(self._all.values(), key=lambda one: one.started, reverse=True)

    def bad(self, run: Run, listed: Checkpoint) -> Checkpoint | None:
        """Return what was found of a checkpoint where that is damage."""
        return self._bad.get((run.uri, listed.digest))

    def begin(self, run: Run, checkpoints: Checkpoints, step: int) -> Verification:
        """Start to read a checkpoint and return at once; asked again meanwhile, it is read once."""
        listed = checkpoints.show(step)
        with self._lock:
            before = self._all.get((run.uri, step))
            if before is not None and before.state == "reading":
                return before
            begun = self._all[run.uri, step] = Verification(run.run_id, step, listed.num_bytes)
        reading = threading.Thread(target=self._read, args=(begun, run, checkpoints, listed), daemon=True)
        reading.start()
        return begun

    def _read(self, begun: Verification, run: Run, checkpoints: Checkpoints, listed: Checkpoint) -> None:
        def progress(num_bytes: int) -> None:
            begun.bytes += num_bytes

        try:
            found = checkpoints.show(begun.step, deep=True, progress=progress)
        except Exception as error:  # noqa: BLE001 - whoever waits for it must hear of it
            found = Checkpoint(begun.step, listed.uri, {}, f"bad: cannot be read: {error}")
        if found.is_bad:
            self._bad[run.uri, listed.digest] = found
        else:
            self._bad.pop((run.uri, listed.digest), None)
        state, _, reason = found.state.partition(": ")
        begun.reason = reason.removeprefix(f"{found.uri}/")
        begun.ended = time.time()
        begun.state = state  # last of all: who sees it must see the rest
