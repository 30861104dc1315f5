"""Where runs are kept: which storage a command means, and whether it can be written."""

import os
import secrets
import shutil
from pathlib import Path

from raylm.config.errors import BadInput, Problem
from raylm.config.places import read_settings, settings_path
from raylm.runs.folder import Folder

VARIABLE = "RAYLM_STORAGE"


def resolve(cli: str | None = None, recipe: str | None = None) -> str:
    """Return the storage as an absolute path or URI.

    The first that is given counts: command line, recipe, RAYLM_STORAGE, the config file, ~/raylm/runs.
    """
    return Folder.open(cli or recipe or os.environ.get(VARIABLE) or _configured_or_default()).uri


def known() -> list[str]:
    """Return every storage that the catalogue reads: RAYLM_STORAGE, those in the config file, the default."""
    named = [os.environ.get(VARIABLE, ""), *_configured(), _default()]
    return list(dict.fromkeys(Folder.open(uri).uri for uri in named if uri))


def check_writable(storage: str, need_bytes: int = 0) -> Problem | None:
    """Put, read and remove a small file; return what is wrong, or None.

    `need_bytes` is what the run's checkpoints will take; it is compared with the free space of a local disk.
    """
    name = f".probe-{secrets.token_hex(4)}"
    try:
        folder = Folder.open(storage)
        folder.write(name, b"probe")
        is_same = folder.read(name) == b"probe"
        folder.remove(name)
    except BadInput as error:
        return error.problems[0]
    except Exception as error:  # noqa: BLE001 - each store's client has exceptions of its own
        return Problem("storage", _why(storage, error), "choose another with --storage URI", code="storage")
    if not is_same:
        return Problem("storage", f"{storage} gives back other bytes than it was given", code="storage")
    return _room_problem(folder, need_bytes)


def _why(storage: str, error: Exception) -> str:
    words = {
        NotADirectoryError: "is a file, not a folder",
        FileExistsError: "is a file, not a folder",
        PermissionError: "cannot be written: permission denied",
        FileNotFoundError: "does not exist",
    }
    known_words = next((text for kind, text in words.items() if isinstance(error, kind)), None)
    return f"{storage} {known_words or f'cannot be written: {error or type(error).__name__}'}"


def _room_problem(folder: Folder, need_bytes: int) -> Problem | None:
    path = folder.local_path()
    if path is None or not need_bytes:
        return None
    free = shutil.disk_usage(path).free
    if free >= need_bytes:
        return None
    message = f"{path} has {free / 1e9:.1f} GB free, the checkpoints need {need_bytes / 1e9:.1f} GB"
    return Problem("storage", message, "free some, or lower checkpoint.keep_last", code="storage_full")


def _configured_or_default() -> str:
    return next(iter(_configured()), _default())


def _default() -> str:
    return str(Path.home() / "raylm" / "runs")


def _configured() -> list[str]:
    """Return the config file's storages: `storages` is a list of URIs, or of `name` and `uri`."""
    settings = read_settings()
    entries = settings.get("storages") or []
    if not isinstance(entries, list):
        raise _bad_storages("is not a list")
    uris: list[str] = []
    for entry in entries:
        uri = entry.get("uri") if isinstance(entry, dict) else entry
        if not isinstance(uri, str) or not uri:
            raise _bad_storages("has an entry without a URI")
        uris.append(uri)
    return uris + _of_clusters(settings.get("clusters"))


def _of_clusters(clusters: object) -> list[str]:
    """Return the storages that cluster entries name; what is wrong with those is said where they are used."""
    entries = clusters if isinstance(clusters, list) else []
    return [str(one["storage"]) for one in entries if isinstance(one, dict) and one.get("storage")]


def _bad_storages(message: str) -> BadInput:
    mend = "write `storages:` as a list of paths or URIs"
    return BadInput.one("storages", message, mend, str(settings_path()), "storages")
