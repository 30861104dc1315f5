"""Checkpoints: committed by a manifest, verified by sha256, and never lost to retention."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from raylm.config.card import Card, Shown
from raylm.config.errors import BadInput
from raylm.runs.card import checkpoint_card
from raylm.runs.folder import Folder
from raylm.runs.manifest import (
    NAME,
    Corrupt,
    FileEntry,
    Manifest,
    Progress,
    check_hash,
    check_size,
    parse_manifest,
    plain,
    unheard,
)
from raylm.runs.retention import pins, put_aside, remove_checkpoint, sweep
from raylm.runs.status import read_json

_STEP = re.compile(r"step-(\d{8,})")


@dataclass(frozen=True, repr=False)
class Checkpoint(Shown):
    """A checkpoint as listed."""

    step: int
    uri: str
    facts: dict[str, Any]
    """What rank 0 wrote beside the tensors: tokens_seen, cursor, metrics, digests, world_size."""
    state: str
    """`good` (every byte checked), `unverified` (names and sizes fit), or `bad: <why>`."""
    digest: str = ""
    num_bytes: int = 0
    folder: Folder | None = field(default=None, repr=False, compare=False)
    """Where its files lie; None for a bad one."""

    @property
    def is_bad(self) -> bool:
        return self.state.startswith("bad")

    def _card(self) -> Card:
        return checkpoint_card(self.step, self.uri, self.state, self.num_bytes, self.facts)


class Checkpoints:
    """The checkpoints of one run. Every rank stages its files; rank 0 commits; anyone lists and verifies."""

    def __init__(self, run_folder: Folder) -> None:
        self.run_folder = run_folder
        self.folder = run_folder / "checkpoints"
        self._tokens: dict[int, str] = {}
        self._proven: dict[int, tuple[str, ...]] = {}

    def staging(self, step: int, token: str) -> Folder:
        """Return the folder into which all ranks that agreed on `token` write their files for `step`.

        Locally it is hidden and renamed by `commit`; on an object store it lies beside the final manifest,
        which is put last.
        """
        self._tokens[step] = token
        if self.folder.is_local:
            return (self.folder / f".tmp-{step:08d}-{token}").make()
        return self.folder / step_name(step) / token

    def commit(
        self, step: int, files: Iterable[FileEntry], facts: dict[str, Any], token: str | None = None
    ) -> Checkpoint:
        """Make the staged files a checkpoint; it is durable when this returns.

        A good checkpoint of this step that exists already is returned as it is; a bad one is put aside.
        `token` is the one given to `staging`, by default the last one this object staged for the step.

        Raises:
            Corrupt: a reported file is missing or has another size.
            BadInput: a newer attempt of the run has started, so this one must not write any more.
        """
        token = token or self._tokens[step]
        self._check_fence(facts)
        staged = self.staging(step, token)
        if (existing := self._existing(step)) is not None:
            staged.remove_tree()
            return existing
        inner = "" if self.folder.is_local else token
        manifest = Manifest(step, tuple(sorted(files)), plain({"step": step, **facts}), inner)
        for entry in manifest.files:
            check_size(staged, entry)
        self._publish(manifest, staged)
        self._proven[step] = self._stamps(manifest)
        return self._listed(manifest, "good")

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint, ascending, good or bad; not uploads without a manifest."""
        steps = self._step_folders()
        if self.folder.is_local:  # renamed into place, so that a missing manifest is damage
            return steps
        return [step for step in steps if self.folder.exists(f"{step_name(step)}/{NAME}")]

    def list(self, *, deep: bool = False) -> list[Checkpoint]:
        """Return all checkpoints, oldest first; `deep` reads and hashes every byte."""
        return [self.show(step, deep=deep) for step in self.steps()]

    def show(self, step: int, *, deep: bool = False, progress: Progress = unheard) -> Checkpoint:
        """Return one checkpoint with its state; `progress` as in `verify`."""
        try:
            manifest = self.verify(step, deep=deep, progress=progress)
        except Corrupt as error:
            return Checkpoint(step, (self.folder / step_name(step)).uri, {}, f"bad: {error}")
        return self._listed(manifest, "good" if deep else "unverified")

    def verify(self, step: int, *, deep: bool = True, progress: Progress = unheard) -> Manifest:
        """Return the manifest when names and sizes fit, and with `deep` every byte.

        `progress` gets the bytes that were read since its last call.

        Raises:
            Corrupt: naming the first file that is missing or differs.
        """
        manifest = self._manifest(step)
        data = self._data(manifest)
        for entry in manifest.files:
            check_size(data, entry)
        if deep:
            for entry in manifest.files:
                check_hash(data, entry, progress)
            self._proven[step] = self._stamps(manifest)
        return manifest

    def is_proven(self, step: int) -> bool:
        """Whether this object has read every byte of a checkpoint and no file was written since."""
        try:
            return step in self._proven and self._is_proven(self._manifest(step))
        except (Corrupt, OSError):
            return False

    def open(self, step: int) -> Folder:
        """Return the folder of a checkpoint's files, its manifest checked but not its files.

        Raises:
            Corrupt: there is no usable manifest.
        """
        return self._data(self._manifest(step))

    def latest_good(self, *, deep: bool = True) -> tuple[Checkpoint | None, list[str]]:
        """Return the newest checkpoint that verifies, and why each newer one does not."""
        reasons = []
        for step in reversed(self.steps()):
            try:
                return self._listed(self.verify(step, deep=deep), "good" if deep else "unverified"), reasons
            except Corrupt as error:
                reasons.append(str(error))
        return None, reasons

    def retain(self, keep_last: int, kept: Collection[int] = ()) -> list[int]:
        """Delete good checkpoints older than the newest `keep_last` good ones; return their steps.

        Pinned ones and those in `kept` stay, bad ones stay and do not count, and the last good one stays.
        """
        assert keep_last >= 1
        good: list[int] = []
        for step in reversed(self.steps()):
            # One that was read and hashed is enough to make sure that a good one stays.
            if self._is_good(step, deep=not good):
                good.append(step)
        gone = [step for step in good[keep_last:] if step not in self.pins() and step not in kept]
        for step in gone:
            remove_checkpoint(self.folder, step_name(step))
        return gone

    def delete(self, step: int) -> None:
        """Delete one checkpoint.

        Raises:
            BadInput: there is none, a fork stands on it, or it is the last good one.
        """
        if step not in self.steps():
            raise BadInput.one(
                "step", f"no checkpoint of step {step}", f"there are: {self.steps()}", code="no_step"
            )
        if children := self.pins().get(step):
            mend = "delete first what stands on it"
            raise BadInput.one("step", f"{step} is the start of {', '.join(children)}", mend, code="pinned")
        others = (one for one in reversed(self.steps()) if one != step)
        if not any(map(self._is_good, others)) and self._is_good(step):
            raise BadInput.one(
                "step", f"{step} is the last good checkpoint", "delete the run instead", code="last_good"
            )
        remove_checkpoint(self.folder, step_name(step))

    def pins(self) -> dict[int, list[str]]:
        """Return the run ids that stand on each pinned step."""
        return pins(self.run_folder)

    def sweep(self) -> None:
        """Remove what interrupted writers left; only for who holds the run, before any rank writes."""
        sweep(self.folder, {step: self._inner(step) for step in self._step_folders()})

    def _step_folders(self) -> list[int]:
        found = (_STEP.fullmatch(name) for name in self.folder.names())
        return sorted(int(match.group(1)) for match in found if match)

    def _check_fence(self, facts: dict[str, Any]) -> None:
        newest = (read_json(self.run_folder, "status.json") or {}).get("attempt") or 0
        mine = facts.get("attempt")
        if mine is not None and mine < newest:
            raise BadInput.one(
                "run", f"attempt {newest} has begun; attempt {mine} must not write", code="fenced"
            )

    def _existing(self, step: int) -> Checkpoint | None:
        """Return this step's checkpoint if it is good; put a bad one out of the way."""
        if step not in self.steps():
            return None
        try:
            return self._listed(self.verify(step), "good")
        except Corrupt:
            put_aside(self.folder, step_name(step), uuid.uuid4().hex[:8])
            return None

    def _publish(self, manifest: Manifest, staged: Folder) -> None:
        name = step_name(manifest.step)
        if not self.folder.is_local:
            self.folder.write(f"{name}/{NAME}", manifest.to_bytes())
            return
        for inner in sorted({entry.name.rpartition("/")[0] for entry in manifest.files} - {""}):
            (staged / inner).sync()
        staged.write(NAME, manifest.to_bytes())
        self.folder.rename(staged.path.rpartition("/")[2], name)  # the commit point

    def _manifest(self, step: int) -> Manifest:
        where = f"{(self.folder / step_name(step)).uri}/{NAME}"
        try:
            manifest = parse_manifest(self.folder.read(f"{step_name(step)}/{NAME}"), where)
        except OSError as error:
            raise Corrupt(
                f"{where}: {'missing' if isinstance(error, FileNotFoundError) else error}"
            ) from None
        if manifest.step != step:
            raise Corrupt(f"{where}: is of step {manifest.step}")
        return manifest

    def _inner(self, step: int) -> str | None:
        try:
            return self._manifest(step).folder
        except Corrupt:
            return None

    def _data(self, manifest: Manifest) -> Folder:
        folder = self.folder / step_name(manifest.step)
        return folder / manifest.folder if manifest.folder else folder

    def _listed(self, manifest: Manifest, state: str) -> Checkpoint:
        uri = (self.folder / step_name(manifest.step)).uri
        data = self._data(manifest)
        return Checkpoint(
            manifest.step, uri, manifest.facts, state, manifest.digest, manifest.num_bytes, data
        )

    def _stamps(self, manifest: Manifest) -> tuple[str, ...]:
        data = self._data(manifest)
        return (manifest.digest, *(data.stamp(entry.name) for entry in manifest.files))

    def _is_good(self, step: int, *, deep: bool = True) -> bool:
        """Whether every byte is right; not hashed again while no file was written since this object did."""
        try:
            manifest = self.verify(step, deep=False)
            if deep and not self._is_proven(manifest):
                self.verify(step)
        except Corrupt:
            return False
        return True

    def _is_proven(self, manifest: Manifest) -> bool:
        return self._proven.get(manifest.step) == self._stamps(manifest)


def step_name(step: int) -> str:
    """Return the directory name of a step's checkpoint."""
    return f"step-{step:08d}"
