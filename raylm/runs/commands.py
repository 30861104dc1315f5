"""The inbox through which a person reaches a running loop: `stop`, `checkpoint`, `set_learning_rate` ..."""

import contextlib
import json
import re
import secrets
import threading
import time
from typing import Any, NamedTuple

from raylm.config.errors import BadInput
from raylm.runs.owner import host, person
from raylm.runs.run import Run
from raylm.runs.status import launch_numbers

POLL_EVERY_S = 2.0
_NAME = re.compile(r"[a-z][a-z_]{0,40}")
_FILE = re.compile(r"(?P<id>\d{19}-[0-9a-f]{6})\.l(?P<launch>\d+)\.(?P<name>[a-z_]+)\.json")
_ONCE = {"stop", "checkpoint"}  # done when done: a replayed step must not stop the run again


class Command(NamedTuple):
    """One wish, in the order of `id`."""

    id: str
    name: str
    args: dict[str, Any]


def send(run: Run, name: str, **args: Any) -> str:
    """Put a command into the run's inbox and return its id; the run answers within a few seconds.

    Raises:
        BadInput: the name cannot be a command's.
    """
    if not _NAME.fullmatch(name):
        raise BadInput.one("command", f"{name!r} is not a command", code="command")
    command_id = f"{time.time_ns():019d}-{secrets.token_hex(3)}"
    launch = max(launch_numbers(run.folder), default=0)
    values = {"id": command_id, "name": name, "args": args, "person": person(), "host": host()}
    run.folder.create(f"commands/{command_id}.l{launch}.{name}.json", json.dumps(values).encode())
    return command_id


def pending(run: Run) -> list[Command]:
    """Return the commands not applied yet, oldest first; a stop meant for an earlier launch is left out."""
    launch = max(launch_numbers(run.folder), default=0)
    found = []
    for name in run.folder.names("commands"):
        match = _FILE.fullmatch(name)
        if match and (match["name"] != "stop" or int(match["launch"]) == launch):
            found.append((name, match))
    if not found:
        return []
    done = {command.id for commands in applied(run).values() for command in commands}
    waiting = [(name, match) for name, match in found if match["id"] not in done]
    return [Command(match["id"], match["name"], _args(run, name)) for name, match in waiting]


def applied(run: Run) -> dict[int, list[Command]]:
    """Return the commands applied so far, by the step at which they were."""
    found: dict[int, dict[str, Command]] = {}
    for event in run.events():
        if event.get("event") == "command_applied":
            command = Command(event["command_id"], event["command"], event.get("args") or {})
            found.setdefault(event["step"], {})[command.id] = command
    return {step: sorted(commands.values()) for step, commands in found.items()}


class Inbox:
    """Rank 0's end: a thread looks every two seconds, so that the loop never waits for storage."""

    def __init__(self, run: Run, every_seconds: float = POLL_EVERY_S) -> None:
        self._run = run
        self._every = every_seconds
        self._replay = applied(run)
        self._known = {command.id for commands in self._replay.values() for command in commands}
        self._new: list[Command] = []
        self._lock = threading.Lock()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._look_often, name="raylm-inbox", daemon=True)
        self._thread.start()

    def take(self) -> list[Command]:
        """Return the commands that came since the last call; costs nothing."""
        with self._lock:
            taken, self._new = self._new, []
        return taken

    def applied_at(self, step: int) -> list[Command]:
        """Return what an earlier attempt applied at this step and a replay applies again; costs nothing."""
        return [command for command in self._replay.get(step, ()) if command.name not in _ONCE]

    def record(self, command: Command, step: int) -> None:
        """Note that a command was applied at `step`, and take it out of the inbox.

        A stop stays: its launch is `stopping` until it has ended, and no later launch minds it.
        """
        fields = {"command": command.name, "command_id": command.id, "args": command.args, "step": step}
        self._run.emit("rank0", "command_applied", **fields)
        if command.name == "stop":
            return
        for name in self._run.folder.names("commands"):
            if name.startswith(f"{command.id}."):
                self._run.folder.remove(f"commands/{name}")

    def close(self) -> None:
        """Stop looking."""
        self._is_closing.set()
        self._thread.join()

    def look(self) -> None:
        """Read the inbox now; the thread does it by itself."""
        waiting = pending(self._run)  # not under the lock: `take` must never wait for storage
        with self._lock:
            fresh = [command for command in waiting if command.id not in self._known]
            self._known.update(command.id for command in fresh)
            self._new += fresh

    def _look_often(self) -> None:
        while not self._is_closing.is_set():
            with contextlib.suppress(OSError):  # storage out of reach: the command waits there
                self.look()
            self._is_closing.wait(self._every)


def _args(run: Run, name: str) -> dict[str, Any]:
    try:
        return json.loads(run.folder.read(f"commands/{name}"))["args"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
