"""A run: its directory in a storage, and what can be asked of it from any process."""

from __future__ import annotations

import functools
import json
import os
import time
from pathlib import Path
from typing import Any

from raylm.config.card import Card, Shown
from raylm.config.errors import BadInput, Problem
from raylm.runs.card import run_card
from raylm.runs.checkpoints import Checkpoints
from raylm.runs.events import EventLog, merged_events
from raylm.runs.folder import Folder
from raylm.runs.names import check_run_name
from raylm.runs.owner import host, person
from raylm.runs.segments import last_record
from raylm.runs.status import Status, derive, launch_numbers, read_json

FORMAT = 1


class AlreadyLaunched(BadInput):
    """The run is live, or another caller claimed the launch first: nothing was started."""


class Run(Shown):
    """A run directory. Making this object reads nothing; every process sees the same run."""

    def __init__(self, folder: Folder, storage: str, run_id: str) -> None:
        self.folder = folder
        self.storage = storage
        self.run_id = run_id
        self._events = EventLog(folder)
        self._header: dict[str, Any] | None = None

    @classmethod
    def create(cls, storage: str | Path, run_id: str, header: dict[str, Any] | None = None) -> Run:
        """Make the run's directory and its run.json.

        `header` may hold name, parent, recipe_digest, data_digest, git, packages, threads and `access`
        (`private` or `group`). Its values must be JSON.

        Raises:
            BadInput: the id is not allowed, or the run exists.
        """
        check_run_name(run_id, "run_id")
        header = {"access": "private", **(header or {})}
        root = Folder.open(storage, access=header["access"])
        run = cls(root / run_id, root.uri, run_id)
        made = {
            "format": FORMAT,
            "run_id": run_id,
            "created": round(time.time(), 3),
            "person": person(),
            "host": host(),
        }
        try:
            run.folder.create("run.json", _pretty({**made, **header}))
        except FileExistsError:
            mend = f"raylm runs resume {run_id} continues it; another --run-id starts a new one"
            raise BadInput.one(
                "run_id", f"run {run_id} exists in {root.uri}", mend, code="run_exists"
            ) from None
        return run

    @classmethod
    def open(cls, storage: str | Path, run_id: str) -> Run:
        """Return a run that exists; a damaged one opens too, and says so in its status.

        Raises:
            BadInput: there is no such run in this storage.
        """
        check_run_name(run_id, "run_id")
        root = Folder.open(storage)
        folder = root / run_id
        path = folder.local_path()
        if path is not None and path.is_symlink():
            raise BadInput.one(
                "run_id", f"{path} is a symbolic link, which raylm does not follow", code="run_link"
            )
        if not folder.exists():
            raise BadInput.one(
                "run_id", f"no run {run_id} in {root.uri}", "see: raylm runs list", code="no_run"
            )
        if path is not None and path.stat().st_mode & 0o020:
            folder = Folder.open(folder.uri, access="group")
        return cls(folder, root.uri, run_id)

    @classmethod
    def from_uri(cls, uri: str | Path) -> Run:
        """Return the run at `<storage>/<run id>`."""
        storage, _, run_id = str(uri).rstrip("/").rpartition("/")
        return cls.open(storage or os.curdir, run_id)

    def _card(self) -> Card:
        try:
            newest = last_record(self.folder)
        except OSError:  # whoever looks at a run may be on another machine
            newest = None
        return run_card(self.run_id, self.uri, self.status(), newest or {})

    @property
    def uri(self) -> str:
        """Absolute path or URI of the run's directory."""
        return self.folder.uri

    @property
    def name(self) -> str:
        """The name it was given, which is part of a made id."""
        return str(self._header_or_nothing().get("name") or self.run_id)

    def header(self) -> dict[str, Any]:
        """Return run.json, which is written at the launch and once more when the data is prepared.

        Raises:
            BadInput: it is missing or damaged, or a newer raylm wrote it.
        """
        if self._header is None:
            self._header = _read_header(self.folder)
        return self._header

    def add_to_header(self, **facts: Any) -> None:
        """Add to run.json what is known only once the run's data is prepared, such as its ledger.

        Only who holds the run's lease may call this, so that there is one writer; readers see the old file
        or the new one. Values must be JSON.
        """
        header = _read_header(self.folder)
        if any(header.get(name) != value for name, value in facts.items()):
            self.folder.write("run.json", _pretty({**header, **facts}))
        self._header = None

    def claim_launch(self, recipe_yaml: str, **record: Any) -> int:
        """Claim the next launch and return its number; of many callers exactly one gets it.

        `record` says how (`here`, `process` or `job`) and where: address, submission_id.

        Raises:
            AlreadyLaunched: the run is live, or somebody else claimed this launch first.
        """
        launches = launch_numbers(self.folder)
        if launches and (status := self.status()).is_live:
            raise self._already(status)
        number = max(launches, default=0) + 1
        made = {"launch": number, "person": person(), "host": host(), "when": round(time.time(), 3)}
        if record.get("how") == "job":
            made["submission_id"] = f"{self.run_id}-l{number}"
        try:
            self.folder.create(f"launches/{number}.json", _pretty({**made, **record}))
        except FileExistsError:
            raise self._already(self.status()) from None
        self.folder.write(f"launches/{number}.yaml", recipe_yaml.encode())
        return number

    def refuse_launch(self, number: int, reason: str) -> None:
        """Note that a launch's recipe could not be run at all. Only who holds the run's lease may say so."""
        self.folder.write(_refused(number), reason.encode())

    def launches(self) -> list[dict[str, Any]]:
        """Return the records of all launches, oldest first."""
        numbers = launch_numbers(self.folder)
        return [
            {"launch": number, **(read_json(self.folder, f"launches/{number}.json") or {})}
            for number in numbers
        ]

    def recipe_yaml(self, launch: int | None = None) -> str:
        """Return the resolved recipe of a launch; a fork begins with its parent's.

        By default it is that of the newest launch, but for those that were refused: what was wrong with them
        is not the run's.

        Raises:
            BadInput: the run has no recipe of that launch.
        """
        stems = [
            name.removesuffix(".yaml") for name in self.folder.names("launches") if name.endswith(".yaml")
        ]
        numbers = sorted(int(stem) for stem in stems if stem.isdigit())
        good = [number for number in numbers if not self.folder.exists(_refused(number))] or numbers
        number = launch if launch is not None else max(good, default=-1)
        if number not in numbers:
            raise BadInput.one("run", f"{self.run_id} has no recipe of launch {number}", code="no_recipe")
        return self.folder.read(f"launches/{number}.yaml").decode()

    def status(self) -> Status:
        """Return the state as seen from here, now; never raises for a damaged run."""
        try:
            return derive(self.folder, self.header())
        except BadInput as error:
            return Status("lost", error.problems[0].message)

    def emit(self, writer: str, event: str, **fields: Any) -> None:
        """Record that something happened. `writer` is `driver`, `rank0` or `client`."""
        self._events.emit(writer, event, fields)

    def events(self) -> list[dict[str, Any]]:
        """Return all events, oldest first: time, event, writer, and the event's own fields."""
        return merged_events(self.folder, {}, limit=1_000_000)[0]

    @functools.cached_property
    def checkpoints(self) -> Checkpoints:
        """The run's checkpoints."""
        return Checkpoints(self.folder)

    def _header_or_nothing(self) -> dict[str, Any]:
        try:
            return self.header()
        except BadInput:
            return {}

    def _already(self, status: Status) -> AlreadyLaunched:
        owner = f", {status.owner.get('host')} pid {status.owner.get('pid')}" if status.owner else ""
        message = f"{self.run_id} is {status.status} (launch {status.launch}{owner})"
        mend = f"watch it with: raylm runs show {self.run_id}"
        return AlreadyLaunched(Problem("run", message, mend, code="already_launched"))


def _read_header(folder: Folder) -> dict[str, Any]:
    if not folder.exists("run.json"):
        raise BadInput.one("run", f"{folder.uri}/run.json is missing", code="bad_run")
    header = read_json(folder, "run.json")
    if header is None or not _is_sound(header):
        raise BadInput.one("run", f"{folder.uri}/run.json cannot be read", code="bad_run")
    version = header.get("format")
    if not isinstance(version, int) or version > FORMAT:
        message = f"{folder.uri}/run.json has format {version!r}, this raylm reads up to {FORMAT}"
        raise BadInput.one("run", message, "update raylm", code="newer_format")
    return header


def _is_sound(header: dict[str, Any]) -> bool:
    """Whether the fields that readers rely on are what they should be; a newer format has its own check."""
    parent = header.get("parent")
    is_parent = parent is None or (
        isinstance(parent, dict)
        and isinstance(parent.get("uri"), str)
        and isinstance(parent.get("step"), int)
    )
    return header.get("format") != FORMAT or (is_parent and isinstance(header.get("created"), int | float))


def _pretty(values: dict[str, Any]) -> bytes:
    return json.dumps(values, indent=1, default=str).encode() + b"\n"


def _refused(launch: int) -> str:
    return f"launches/{launch}.refused"
