"""Runs without Ray: a background process on this machine that outlives whoever started it."""

import os
import sys

from raylm.config.places import state_path
from raylm.jobs.detached import Detached, spawn_detached
from raylm.runs.run import Run


def spawn(run: Run, launch: int) -> Detached:
    """Start a process that drives a claimed launch, and return it; what it prints goes to the run's logs.

    Where the storage is remote the log stays here, under ~/.local/state/raylm/logs.
    """
    name = f"driver-l{launch}.log"
    log_path = run.folder.local_path(f"logs/{name}") or state_path() / "logs" / f"{run.run_id}-{name}"
    command = [sys.executable, "-m", "raylm", "drive", run.uri, str(launch)]
    environment = {**os.environ, "RAYLM_STORAGE": run.storage, "PYTHONUNBUFFERED": "1"}
    return spawn_detached(command, environment, log_path)
