"""Where raylm keeps a person's settings and what it must remember between commands."""

import os
from pathlib import Path
from typing import Any

from raylm.config.yaml import dump_yaml, load_yaml


def settings_path() -> Path:
    """Return the list of storages and clusters: ~/.config/raylm/config.yaml, or under XDG_CONFIG_HOME."""
    return _home("XDG_CONFIG_HOME", ".config") / "config.yaml"


def state_path() -> Path:
    """Return the folder of what raylm started here: ~/.local/state/raylm, or under XDG_STATE_HOME."""
    return _home("XDG_STATE_HOME", ".local/state")


def cache_path() -> Path:
    """Return the folder of what can be made again: ~/.cache/raylm, or under XDG_CACHE_HOME."""
    return _home("XDG_CACHE_HOME", ".cache")


def read_settings() -> dict[str, Any]:
    """Return the settings, empty where there is no file yet.

    Raises:
        BadInput: the file is there and is not YAML.
    """
    path = settings_path()
    if not path.exists() or path.stat().st_size == 0:
        return {}
    return load_yaml(path).values


def write_settings(values: dict[str, Any]) -> None:
    """Replace the settings at once, readable by their owner only (0600 in a folder of 0700)."""
    write_private(settings_path(), dump_yaml(values))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; a reader sees the old text or the new, never a part."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _home(variable: str, default: str) -> Path:
    given = os.environ.get(variable)
    return (Path(given) if given else Path.home() / default) / "raylm"
