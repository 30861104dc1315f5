"""Looking at checkpoints, and what can be made of one: a fork, an export, room."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from raylm.api.compare_checkpoints import compare_checkpoints
from raylm.api.exporting import Exports
from raylm.api.forking import start_fork
from raylm.api.questions import Json, Place, Questions
from raylm.api.save_times import SaveTimes
from raylm.api.verifying import Verifications
from raylm.config.errors import BadInput
from raylm.runs.catalogue import best_step
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.checkpoints import Checkpoints as RunCheckpoints
from raylm.runs.run import Run
from raylm.runs.summary import checkpoint_summary


class Checkpoints(Questions):
    """The questions of the window that lists a run's checkpoints."""

    READS: ClassVar = ("checkpoints", "compare_checkpoints", "verifications", "exports")
    COMMANDS: ClassVar = ("verify_checkpoint", "fork", "export", "delete_checkpoint")
    LIGHT: ClassVar = (*READS, "verify_checkpoint", "export", "delete_checkpoint")

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._forking = threading.Lock()
        self._exports = Exports()
        self._save_times = SaveTimes()
        # What was verified from here, which may be lost.
        self._seen: dict[str, RunCheckpoints] = {}
        self._verifications = Verifications()

    def checkpoints(self, run_id: str) -> list[Json]:
        """Return a run's checkpoints, newest first; `_rows` says what of each."""
        return self._rows(self.place.find(run_id))

    def compare_checkpoints(self, checkpoints: Sequence[Json]) -> Json:
        """Return what differs between two {"run_id", "step"}; see `raylm.api.compare_checkpoints`."""
        pairs = [(self.place.find(_text(one, "run_id")), _step(one.get("step"))) for one in checkpoints]
        return compare_checkpoints(pairs)

    def exports(self, run_id: str) -> list[Json]:
        """Return a run's exports, wherever begun, newest first: path, state, message, seconds, bytes."""
        return [one.to_json() for one in self._exports.of(self.place.find(run_id))]

    def verifications(self) -> list[Json]:
        """Return those begun from here, newest first: state, reason, seconds, bytes read and total_bytes."""
        return [one.to_json() for one in self._verifications.begun()]

    def verify_checkpoint(self, run_id: str, step: int) -> Json:
        """Begin to read every byte of a checkpoint and return {"state", "bytes", ...} at once.

        `verifications` tells how it goes on, and then `checkpoints` the state found.
        """
        run = self.place.find(run_id)
        return self._verifications.begin(run, self._of(run), self._existing(run, step)).to_json()

    def fork(self, run_id: str, step: int, child_id: str, overrides: Sequence[str] = ()) -> Json:
        """Go on from a checkpoint as a new run, some fields changed, in the background.

        Returns {"run_id", "is_new"}; asked again, it starts nothing.
        """
        parent = self.place.find(run_id)
        with self._forking:  # a second click waits for the first and then finds its run
            child, is_new = start_fork(parent, _step(step), child_id, overrides)
        return {"run_id": child.run_id, "is_new": is_new}

    def export(self, run_id: str, step: int, folder: str) -> Json:
        """Begin to write a folder that transformers loads, and return {"path", "state", ...} at once.

        `exports` tells how it goes on. A relative folder is one of where recipes are looked for.
        """
        if not folder.strip():
            raise BadInput.one("folder", "is empty", "name a new folder", code="empty")
        path = (self.place.folder / Path(folder.strip()).expanduser()).resolve()
        run = self.place.find(run_id)
        return self._exports.begin(run, self._existing(run, step), path).to_json()

    def delete_checkpoint(self, run_id: str, step: int) -> Json:
        """Delete one checkpoint: never one on which another run stands, nor the last good one."""
        run = self.place.find(run_id)
        self._of(run).delete(_step(step))
        return {"run_id": run.run_id, "step": step}

    def _of(self, run: Run) -> RunCheckpoints:
        return self._seen.setdefault(run.uri, run.checkpoints)

    def _existing(self, run: Run, step: int) -> int:
        steps = self._of(run).steps()
        if _step(step) in steps:
            return step
        mend = f"there are: {', '.join(map(str, steps)) or 'none'}"
        raise BadInput.one("step", f"{run.run_id} has no checkpoint of step {step}", mend, code="no_step")

    def _rows(self, run: Run) -> list[Json]:
        """Return what `checkpoint_summary` says of each, and state, reason, saved, pinned_by and is_best.

        `state` is a word: `good` where every byte was read here, `unverified` where names and sizes fit, or
        `bad` for a `reason`.
        """
        checkpoints = self._of(run)
        found = checkpoints.list()
        best, saved, pins = best_step(found), self._save_times.of(run), checkpoints.pins()
        return [
            {
                **self._plain_row(run, one),
                "saved": saved.get(one.step),
                "pinned_by": sorted(pins.get(one.step, ())),
                "is_best": one.step == best,
            }
            for one in reversed(found)
        ]

    def _plain_row(self, run: Run, one: Checkpoint) -> Json:
        row = checkpoint_summary(one)
        known = one if one.is_bad else self._verifications.bad(run, one) or one
        state, _, reason = known.state.partition(": ")
        if not known.is_bad and self._of(run).is_proven(one.step):
            state = "good"
        reason = reason.removeprefix(f"{one.uri}/")
        return {**row, "state": state, "reason": reason, "metrics": row["metrics"] or {}}


def _step(step: object) -> int:
    if isinstance(step, int) and not isinstance(step, bool):
        return step
    raise BadInput.one("step", f"{step!r} is no step", "give a whole number", code="step")


def _text(values: Json, name: str) -> str:
    if isinstance(values.get(name), str):
        return values[name]
    raise BadInput.one(name, "is missing", "give the id of a run", code=name)
