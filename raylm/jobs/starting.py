"""Starting the owned cluster for somebody who does not wait: a process of its own does it, and leaves word.

`python -m raylm.jobs.starting` is that process. It outlives the kernel or server that asked for the cluster.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from raylm.config.errors import BadInput, RunFailed
from raylm.config.places import state_path, write_private
from raylm.jobs.detached import Detached, is_alive, spawn_detached, tail
from raylm.jobs.owned import find_owned, start_owned, start_record_path
from raylm.jobs.ray_head import HeadOptions

_FIRST_WORD_SECONDS = 30.0  # from the request to the process's own note, on a machine with much else to do


class Start(NamedTuple):
    """A start on its way, or the last one where it failed."""

    state: str
    """starting or failed."""
    since: float
    """When it was asked for, in seconds since 1970."""
    message: str = ""
    """Why it failed."""
    mend: str = ""


def begin_start(options: HeadOptions) -> None:
    """Have the owned cluster started; returns at once. Nothing is begun where it runs or is being started."""
    before = find_start()
    if find_owned() is not None or (before is not None and before.state == "starting"):
        return
    _log_path().unlink(missing_ok=True)
    since = time.time()
    _write({"since": since})
    command = [sys.executable, "-m", "raylm.jobs.starting", str(since), json.dumps(options._asdict())]
    spawn_detached(command, os.environ, _log_path())


def find_start() -> Start | None:
    """Return the start that is on its way, or has failed since the last cluster ran; None where neither."""
    try:
        note = json.loads(start_record_path().read_text(encoding="utf-8"))
        since = float(note["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if "message" in note:
        return Start("failed", since, str(note["message"]), str(note.get("mend", "")))
    if _is_on_its_way(note, since):
        return Start("starting", since)
    said = tail(_log_path()) or "the process that started it ended"
    return Start("failed", since, f"Ray did not start: {said}", "start it again")


def main() -> None:
    """Start it, and note why not where that fails."""
    note: dict[str, Any] = {"since": float(sys.argv[1])}
    _write({**note, "pid": os.getpid(), "start_time": psutil.Process().create_time()})
    try:
        start_owned(HeadOptions(**json.loads(sys.argv[2])))
    except RunFailed as error:
        _write({**note, "message": error.reason, "mend": error.mend})
    except BadInput as error:
        _write({**note, "message": error.problems[0].message, "mend": error.problems[0].mend})
    else:
        start_record_path().unlink(missing_ok=True)


def _is_on_its_way(note: dict[str, Any], since: float) -> bool:
    if "pid" in note:
        return is_alive(Detached(int(note["pid"]), float(note["start_time"])))
    return time.time() - since < _FIRST_WORD_SECONDS


def _log_path() -> Path:
    return state_path() / "logs" / "cluster-start.log"


def _write(note: dict[str, Any]) -> None:
    write_private(start_record_path(), json.dumps(note))


if __name__ == "__main__":
    main()
