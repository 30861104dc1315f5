"""Relative paths of a recipe become absolute, so that a run finds its texts from any folder."""

import glob
import re
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

from raylm.config.overrides import PLACE
from raylm.config.report import Origin
from raylm.config.yaml import KeyPath

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")  # also what a relative path may look like
_ON_HUBS = ("dataset", "pretrained")  # kinds
_PATHS = (
    ("data", "sources", "*", "path"),
    ("data", "sources", "*", "target_path"),
    ("data", "filters", "*", "against"),
    ("data", "path"),
    ("data", "cache_path"),
    ("tokenizer", "path"),
    ("model", "path"),
    ("plugins",),
)


def absolute_paths(origin: Origin, folder: Path) -> Any:
    """Return the values with each path absolute.

    A path of the file is looked for in the file's folder, then in the working directory; one of the command
    line the other way round. A path that is in neither is taken from the first; the error about it names it.
    A name on a hub stays as it is, unless there is a folder of that name.
    """
    values: Any = origin.values
    for pattern in _PATHS:
        values = _changed(values, pattern, (), lambda text, path: _placed(text, path, origin, folder))
    return values


def _placed(text: str, path: KeyPath, origin: Origin, folder: Path) -> str:
    found = _absolute(text, _folders(origin, path, folder))
    is_elsewhere = _may_be_hub_name(text, path, origin) and not _exists(Path(found))
    return text if is_elsewhere else found


def _may_be_hub_name(text: str, path: KeyPath, origin: Origin) -> bool:
    """Whether a path may be the name of a dataset or of a model, which is no file."""
    section: Any = origin.values
    for key in path[:-1]:
        section = section[key]
    return isinstance(section, dict) and section.get("kind") in _ON_HUBS and bool(_HUB_NAME.fullmatch(text))


def _folders(origin: Origin, path: KeyPath, folder: Path) -> tuple[Path, Path]:
    return (Path.cwd(), folder) if origin.place(path) == PLACE else (folder, Path.cwd())


def _changed(
    values: Any, pattern: tuple[str, ...], path: KeyPath, change: Callable[[str, KeyPath], str]
) -> Any:
    if not pattern:
        return _changed_leaf(values, path, change)
    part, rest = pattern[0], pattern[1:]
    if part == "*" and isinstance(values, list | tuple):
        return [_changed(item, rest, (*path, index), change) for index, item in enumerate(values)]
    if isinstance(values, dict) and part in values:
        return values | {part: _changed(values[part], rest, (*path, part), change)}
    return values


def _changed_leaf(value: Any, path: KeyPath, change: Callable[[str, KeyPath], str]) -> Any:
    if isinstance(value, list | tuple):
        return [_changed_leaf(item, path, change) for item in value]
    return change(value, path) if isinstance(value, str) and value.strip() else value


def _absolute(text: str, folders: tuple[Path, ...]) -> str:
    if "://" in text:
        return text
    path = Path(text).expanduser() if text.startswith("~") else Path(text)
    found = (folder / path for folder in folders if _exists(folder / path))
    return str(next(found, folders[0] / path))


def _exists(path: Path) -> bool:
    """Whether a path, or the folder that a pattern starts from, is there; no name that may not be one is."""
    fixed = takewhile(lambda part: not glob.has_magic(part), path.parts)
    try:
        if not glob.has_magic(str(path)):
            return path.exists()
        return any(Path(path.anchor).joinpath(*fixed).glob("*"))
    except (OSError, ValueError):  # too long, or with a NUL: the error about the path tells
        return False
