"""Processes that outlive the command, kernel or server that starts them."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

# The shell leaves at once, so that the child belongs to init, which reaps it: a child of a notebook's kernel
# would stay as a zombie after its end. The shell also leads the new session, in which no hang-up arrives.
_LAUNCH = '"$@" >>"$RAYLM_LOG" 2>&1 </dev/null & echo $!'


class Detached(NamedTuple):
    """A process on this host; the start time (seconds since 1970) tells it from a later one with its id."""

    pid: int
    start_time: float


def spawn_detached(command: Sequence[str], environment: Mapping[str, str], log_path: Path) -> Detached:
    """Start a command in a session of its own and append its output to `log_path` (mode 0600)."""
    log_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    launched = subprocess.run(
        ["/bin/sh", "-c", _LAUNCH, "sh", *command],
        env={**environment, "RAYLM_LOG": str(log_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
        check=True,
    )
    pid = int(launched.stdout)
    try:
        return Detached(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:  # it has ended already; its log says why
        return Detached(pid, 0.0)


def is_alive(process: Detached) -> bool:
    """Tell whether that very process still runs here."""
    return (found := _find(process)) is not None and _runs(found)


def end_tree(process: Detached, grace_seconds: float = 5.0) -> None:
    """Ask a process to end; after the grace kill it and all it started. Nothing else is touched."""
    root = _find(process)
    if root is None:
        return
    family = [root, *root.children(recursive=True)]
    root.terminate()
    _wait([root], grace_seconds)
    _wait(family, 1.0)
    for each in filter(_runs, family):
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    _wait(family, grace_seconds)


def tail(log_path: Path, num_lines: int = 5) -> str:
    """Return the last lines of a log that hold something."""
    try:
        lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join([line for line in lines if line.strip()][-num_lines:])


def _find(process: Detached) -> psutil.Process | None:
    try:
        found = psutil.Process(process.pid)
        return found if found.create_time() == process.start_time else None
    except psutil.NoSuchProcess:
        return None


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait(family: list[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(map(_runs, family)) and time.monotonic() < deadline:
        time.sleep(0.05)
