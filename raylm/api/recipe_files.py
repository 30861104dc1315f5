"""Recipes as files beside the ones that a form finds: written whole, and over another only when told to."""

from pathlib import Path

from raylm.config.errors import BadInput
from raylm.runs.folder import Folder
from raylm.runs.names import is_run_name

_SUFFIXES = (".yaml", ".yml")
_FIELD = "file"


def file_of(folder: Path, name: str) -> Path:
    """Return where a recipe of this name is saved; `mine` and `mine.yaml` are one.

    Raises:
        BadInput: it may not name a file on every filesystem, or would lead out of the folder.
    """
    if not isinstance(name, str):
        raise BadInput.one(_FIELD, "must be a name", "give a name for the file", code="run_name")
    stem = next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)
    if not is_run_name(stem):
        mend = "use 1 to 64 letters, digits, '.', '_' and '-', starting with a letter or digit"
        raise BadInput.one(_FIELD, f"{stem[:80]!r} cannot name a file", mend, code="file_name")
    return folder / f"{stem}.yaml"


def save_recipe(folder: Path, name: str, text: str, *, is_replacing: bool = False) -> Path:
    """Write a recipe's YAML into the folder and return its file.

    Raises:
        BadInput: the name is not allowed, the file exists and is not to be replaced, or it cannot be written.
    """
    path = file_of(folder, name)
    place = Folder.open(folder)
    put = place.write if is_replacing else place.create
    try:
        put(path.name, text.encode())
    except FileExistsError:
        mend = "choose another name, or replace it"
        raise BadInput.one(_FIELD, f"{path} exists", mend, code="exists") from None
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise BadInput.one(_FIELD, message, "choose another name", code="unwritable") from None
    return path
