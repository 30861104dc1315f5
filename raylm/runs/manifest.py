"""A checkpoint's manifest: the list of its files with size and sha256, checked against its own digest."""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from raylm.config.errors import BadInput
from raylm.runs.folder import Folder

FORMAT = 1
NAME = "manifest.json"
_PIECE = 2**20  # bytes read at once: as fast as hashlib's own reading, and how far it is can be told

Progress = Callable[[int], None]
"""Gets the number of bytes that were read since its last call."""


def unheard(_num_bytes: int) -> None:
    """Take a progress that nobody waits for."""


class Corrupt(Exception):  # noqa: N818 - says what the checkpoint is
    """A checkpoint that must not be used; the message names the file and what is wrong with it."""


class FileEntry(NamedTuple):
    """One file of a checkpoint, as the rank that wrote it reports it."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a committed checkpoint holds."""

    step: int
    files: tuple[FileEntry, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    folder: str = ""
    """Folder of the files beside the manifest; empty where the whole checkpoint was renamed into place."""

    @property
    def digest(self) -> str:
        """sha256 over everything above: the checkpoint's identity."""
        return hashlib.sha256(json.dumps(self._body(), sort_keys=True).encode()).hexdigest()

    @property
    def num_bytes(self) -> int:
        return sum(entry.bytes for entry in self.files)

    def to_bytes(self) -> bytes:
        """Return the file's content: readable JSON, the same bytes for the same manifest."""
        values = {"digest": self.digest, **self._body()}
        return json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"

    def _body(self) -> dict[str, Any]:
        files = {entry.name: {"bytes": entry.bytes, "sha256": entry.sha256} for entry in self.files}
        return {
            "format": FORMAT,
            "step": self.step,
            "folder": self.folder,
            "files": files,
            "facts": self.facts,
        }


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Return the manifest in these bytes.

    Raises:
        Corrupt: a byte differs from what was written, or a newer raylm wrote it.
    """
    try:
        values = json.loads(data)
        if values["format"] > FORMAT:
            raise Corrupt(f"{where}: format {values['format']} is newer than {FORMAT}; update raylm")
        files = tuple(FileEntry(name, one["bytes"], one["sha256"]) for name, one in values["files"].items())
        manifest = Manifest(values["step"], files, values["facts"], values["folder"])
        same = manifest.to_bytes() == data
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Corrupt(f"{where}: cannot be read ({type(error).__name__})") from None
    if not same:
        raise Corrupt(f"{where}: differs from what was written")
    return manifest


def plain(value: Any) -> Any:
    """Return a value that JSON holds and a browser reads: tuples as lists, NaN and infinities as null."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


def check_size(folder: Folder, entry: FileEntry) -> None:
    """Look whether a file is there and as long as its manifest says.

    Raises:
        Corrupt: it is not.
    """
    where = f"{folder.uri}/{entry.name}"
    try:
        size = folder.size(entry.name)
    except (OSError, BadInput) as error:
        raise Corrupt(f"{where}: {'missing' if isinstance(error, FileNotFoundError) else error}") from None
    if size != entry.bytes:
        raise Corrupt(f"{where}: has {size:,} bytes, the manifest says {entry.bytes:,}")


def check_hash(folder: Folder, entry: FileEntry, progress: Progress) -> None:
    """Read a whole file and look whether it is the one of its manifest.

    Raises:
        Corrupt: it is not.
    """
    where = f"{folder.uri}/{entry.name}"
    found = hashlib.sha256()
    try:
        with folder.reader(entry.name) as file:
            while piece := file.read(_PIECE):
                found.update(piece)
                progress(len(piece))
    except OSError as error:
        raise Corrupt(f"{where}: {error}") from None
    if found.hexdigest() != entry.sha256:
        raise Corrupt(f"{where}: its checksum differs from the manifest's")
