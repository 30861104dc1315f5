"""Folders that a person names to write into: tried before the work, and refused in one line."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from raylm.config.errors import BadInput


@contextlib.contextmanager
def writing(field: str, path: str | Path) -> Iterator[None]:
    """Say of what cannot be written within the block which field named it, and why.

    Raises:
        BadInput: the system refused.
    """
    try:
        yield
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise BadInput.one(field, message, "choose another folder", code="not_writable") from None


def check_new_folder(field: str, folder: Path) -> None:
    """Check that a folder holds nothing and can be made and written in; nothing is left behind.

    Raises:
        BadInput: it holds something, is a file, or the system refuses it.
    """
    with writing(field, folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BadInput.one(field, f"{folder} is not empty", "name a new folder", code="exists")
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        finally:
            for each in missing:
                with contextlib.suppress(OSError):  # it was not made, or another process uses it by now
                    each.rmdir()
