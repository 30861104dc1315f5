"""What happened to a run: one file of lines a writer, merged when read."""

import json
import os
import secrets
import time
from typing import Any, NamedTuple

from raylm.runs.folder import Folder
from raylm.runs.lines import LineLog, parse_line, whole_lines


class EventLog:
    """The events of one run that this process writes; each writer's file is its own."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._logs: dict[str, LineLog] = {}

    def emit(self, writer: str, event: str, fields: dict[str, Any]) -> None:
        """Append an event, durably. `writer` is `driver`, `rank0` or `client`."""
        if writer not in self._logs:
            name = f"{writer}-{os.getpid()}-{secrets.token_hex(3)}.jsonl"
            self._logs[writer] = LineLog(self._folder / "events", name)
        line = {"time": round(time.time(), 6), "event": event, "writer": writer, **fields}
        self._logs[writer].append(json.dumps(line, default=str).encode() + b"\n", durable=True)


class _Found(NamedTuple):
    order: float
    name: str
    end: int
    event: dict[str, Any]


def merged_events(
    folder: Folder, offsets: dict[str, int], limit: int
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return up to `limit` events behind each file's offset, oldest first, and the offsets after them."""
    found: list[_Found] = []
    for name in folder.names("events"):
        found += _events_of(folder, name, offsets.get(name, 0), limit)
    found.sort(key=lambda one: one.order)
    taken = found[:limit]
    return [one.event for one in taken if one.event], offsets | {one.name: one.end for one in taken}


def _events_of(folder: Folder, name: str, offset: int, limit: int) -> list[_Found]:
    found, order = [], 0.0
    for line in whole_lines(folder / "events", name, offset, limit):
        event = parse_line(line.data) or {}
        # One writer's events keep their order even when its clock was set back.
        order = max(order, float(event.get("time") or 0))
        found.append(_Found(order, name, line.end, event))
    return found
