"""Exports that a screen asks for: each in a process of its own, so that its weights fill no kernel."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from raylm.config.errors import BadInput
from raylm.runs.fork import good_checkpoint
from raylm.runs.owner import is_dead, is_here, this_process
from raylm.runs.run import Run
from raylm.runs.status import HEARTBEAT_S, TIME_TO_LIVE_S, read_json

_FOLDER = "exports"  # of the run: a record of each export, so that every window knows of it
_GONE = "the process that wrote it has ended; export it again"


@dataclass
class Export:
    """One export, from its beginning to its end; all of it is in its record."""

    run_id: str
    step: int
    path: str
    """Where it will be; nothing is there before it is whole."""
    partial: str
    state: str = "writing"
    """`writing`, `written` or `failed`."""
    message: str = ""
    """Why it failed."""
    bytes: int = 0
    """Of what was there when the record was written."""
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    ended: float | None = None
    owner: dict[str, Any] = field(default_factory=this_process)
    """The process that waits for its end."""

    @property
    def name(self) -> str:
        """Its record's name."""
        return Path(self.partial).name.removeprefix(".")

    @property
    def is_gone(self) -> bool:
        """Whether nobody writes it any more, though its record says so."""
        is_silent = not is_here(self.owner) and time.time() - self.updated > TIME_TO_LIVE_S
        return self.state == "writing" and (is_dead(self.owner) or is_silent)

    def to_json(self) -> dict[str, Any]:
        """Return what a screen shows of it."""
        state, message = ("failed", _GONE) if self.is_gone else (self.state, self.message)
        ended = self.updated if self.is_gone else self.ended or time.time()
        seconds = round(ended - self.started, 1)
        told = {name: getattr(self, name) for name in ("run_id", "step", "path")}
        return {**told, "state": state, "message": message, "seconds": seconds, "bytes": self.bytes}

    def measure(self) -> None:
        """Look at this machine's disk. Only for what was begun here: a record may name any folder."""
        self.bytes = _bytes_in(Path(self.partial)) or _bytes_in(Path(self.path)) or self.bytes


_RECORD = TypeAdapter(Export)


class Exports:
    """The exports of runs. They are written beside their place and moved there whole."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mine: dict[str, Export] = {}  # by name: also where the run takes no record

    def of(self, run: Run) -> list[Export]:
        """Return a run's exports, whichever process began them, newest first."""
        records = (_read(run, name) for name in run.folder.names(_FOLDER) if name.endswith(".json"))
        found = {record.name: record for record in records if record is not None}
        mine = {name: export for name, export in self._mine.items() if export.run_id == run.run_id}
        for export in mine.values():
            if export.state == "writing":
                export.measure()
        return sorted({**found, **mine}.values(), key=lambda one: one.started, reverse=True)

    def begin(self, run: Run, step: int, path: Path) -> Export:
        """Start writing a checkpoint into a new folder and return at once; asked twice, it is written once.

        Raises:
            BadInput: The folder is not empty or cannot be made, or the checkpoint is missing or damaged.
        """
        with self._lock:
            for before in [*self.of(run), *self._mine.values()]:
                if before.path != str(path) or before.state != "writing" or before.is_gone:
                    continue
                if (before.run_id, before.step) == (run.run_id, step):
                    return before
                raise BadInput.one("folder", f"{path} is being written", "name another folder", code="busy")
            _check_folder(path)
            good_checkpoint(run, step, deep=False)  # whoever writes the weights verifies them
            partial = path.parent / f".{path.name}-{uuid.uuid4().hex[:8]}"
            export = Export(run.run_id, step, str(path), str(partial))
            self._mine[export.name] = export
            _note(run, export)
        threading.Thread(target=_write, args=(run, export), daemon=True).start()
        return export


def _read(run: Run, name: str) -> Export | None:
    try:
        return _RECORD.validate_python(read_json(run.folder, f"{_FOLDER}/{name}"))
    except ValidationError:  # of another raylm, or damaged
        return None


def _note(run: Run, export: Export) -> None:
    """Write the record; a run that a person may only read takes none, and its export goes on all the same."""
    export.updated = time.time()
    with contextlib.suppress(OSError, BadInput):
        run.folder.write(f"{_FOLDER}/{export.name}.json", json.dumps(asdict(export), indent=1).encode())


def _check_folder(path: Path) -> None:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise BadInput.one("folder", f"{path} is not empty", "name a new folder", code="not_empty")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput.one(
            "folder", f"{path} cannot be made: {error.strerror}", "name another folder"
        ) from None


def _write(run: Run, export: Export) -> None:
    path, partial = Path(export.path), Path(export.partial)
    try:
        message = _run_command(run, export)
        if not message:
            if path.exists():
                path.rmdir()
            partial.rename(path)
    except OSError as error:
        message = str(error)
    shutil.rmtree(partial, ignore_errors=True)
    export.measure()
    export.message, export.ended = message, time.time()
    export.state = "failed" if message else "written"  # after all else: who sees it must see the rest
    _note(run, export)


def _run_command(run: Run, export: Export) -> str:
    """Write the partial folder, noting now and then that it goes on; return why that failed, or nothing."""
    source = f"{run.uri}@{export.step}"
    command = [sys.executable, "-m", "raylm", "checkpoints", "export", source, "--to", export.partial]
    nothing = subprocess.DEVNULL
    with subprocess.Popen(command, text=True, stdin=nothing, stdout=nothing, stderr=subprocess.PIPE) as child:
        while True:
            try:
                _, errors = child.communicate(timeout=HEARTBEAT_S)
            except subprocess.TimeoutExpired:
                export.measure()
                _note(run, export)
            else:
                break
    if child.returncode == 0:
        return ""
    return (errors.strip().splitlines() or [f"exit code {child.returncode}"])[-1]


def _bytes_in(folder: Path) -> int:
    try:
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    except OSError:  # it was moved into its place meanwhile
        return 0
