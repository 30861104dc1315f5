"""Who holds a run: a process on a host, and how to tell from the same host that it is dead."""

import functools
import getpass
import os
import socket
from pathlib import Path
from typing import Any


@functools.cache
def host() -> str:
    """Return this machine's name."""
    return socket.gethostname()


@functools.cache
def person() -> str:
    """Return the user's name, or the number where the machine has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def this_process() -> dict[str, Any]:
    """Return the identity written into a lease."""
    pid = os.getpid()
    return {
        "host": host(),
        "pid": pid,
        "person": person(),
        "place": _place(),
        "process_started": _started(pid),
    }


def is_here(owner: dict[str, Any]) -> bool:
    """Whether the owner's pid can be looked up in this process's own table."""
    return owner.get("host") == host() and owner.get("place") == _place()


def is_dead(owner: dict[str, Any]) -> bool:
    """Whether the owner is known to be gone; False also when it runs where this process cannot look."""
    if not is_here(owner):
        return False
    pid = owner.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    # A pid is used again after a while: the same number with another start time is another process.
    return _is_zombie(pid) or owner.get("process_started") != _started(pid)


@functools.cache
def _place() -> str:
    """Return the pid table this process lives in: two containers of one host name have two."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the command's name may hold spaces and brackets


def _started(pid: int) -> str | None:
    """Return the start in clock ticks since boot (proc(5), field 22); None where there is no /proc."""
    fields = _stat(pid)
    return fields[19] if fields else None


def _is_zombie(pid: int) -> bool:
    return _stat(pid)[:1] == ["Z"]
