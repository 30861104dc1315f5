"""Exports that a screen asks for: each in a process of its own, so that its weights fill no kernel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raylm.config.errors import BadInput
from raylm.runs.fork import good_checkpoint
from raylm.runs.run import Run


@dataclass
class Export:
    """One export, from its beginning to its end."""

    run_id: str
    step: int
    path: Path
    """Where it will be; nothing is there before it is whole."""
    partial: Path
    state: str = "writing"
    """`writing`, `written` or `failed`."""
    message: str = ""
    """Why it failed."""
    started: float = field(default_factory=time.time)
    ended: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what a screen shows of it."""
        return {
            "run_id": self.run_id,
            "step": self.step,
            "path": str(self.path),
            "state": self.state,
            "message": self.message,
            "seconds": round((self.ended or time.time()) - self.started, 1),
            "bytes": _bytes_in(self.path if self.state == "written" else self.partial),
        }


class Exports:
    """The exports that this process has begun. They are written beside their place and moved there whole."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._exports: dict[Path, Export] = {}

    def begun(self) -> list[Export]:
        """Return all of them, newest first."""
        return sorted(self._exports.values(), key=lambda one: one.started, reverse=True)

    def begin(self, run: Run, step: int, path: Path) -> Export:
        """Start writing a checkpoint into a new folder and return at once; asked twice, it is written once.

        Raises:
            BadInput: The folder is not empty or cannot be made, or the checkpoint is missing or damaged.
        """
        with self._lock:
            before = self._exports.get(path)
            if before is not None and before.state == "writing":
                if (before.run_id, before.step) == (run.run_id, step):
                    return before
                raise BadInput.one("folder", f"{path} is being written", "name another folder", code="busy")
            _check_folder(path)
            good_checkpoint(run, step, deep=False)  # whoever writes the weights verifies them
            export = Export(run.run_id, step, path, path.parent / f".{path.name}-{uuid.uuid4().hex[:8]}")
            self._exports[path] = export
        threading.Thread(target=_write, args=(export, f"{run.uri}@{step}"), daemon=True).start()
        return export


def _check_folder(path: Path) -> None:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise BadInput.one("folder", f"{path} is not empty", "name a new folder", code="not_empty")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput.one(
            "folder", f"{path} cannot be made: {error.strerror}", "name another folder"
        ) from None


def _write(export: Export, reference: str) -> None:
    command = [sys.executable, "-m", "raylm", "checkpoints", "export", reference, "--to", str(export.partial)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            if export.path.exists():
                export.path.rmdir()
            export.partial.rename(export.path)
        else:
            export.message = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    except OSError as error:
        export.message = str(error)
    export.ended = time.time()
    export.state = "failed" if export.message else "written"
    shutil.rmtree(export.partial, ignore_errors=True)


def _bytes_in(folder: Path) -> int:
    try:
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    except OSError:  # it was moved into its place meanwhile
        return 0
