"""The recipes and texts that ship with raylm."""

from pathlib import Path

from raylm.config.errors import BadInput
from raylm.config.near import did_you_mean

_PACKAGE = Path(__file__).parents[1]


def starter_folder() -> Path:
    """Return where the shipped recipes lie: in the package once it is installed, else in the project."""
    installed = _PACKAGE / "starters"
    return installed if installed.is_dir() else _PACKAGE.parent / "examples"


def starter_files() -> dict[str, Path]:
    """Return the shipped recipes by name."""
    return {path.stem: path for path in sorted(starter_folder().glob("*.yaml"))}


def find_starter(name: str) -> Path:
    """Return the file of a shipped recipe.

    Raises:
        BadInput: there is none of that name.
    """
    files = starter_files()
    if name not in files:
        known = f"raylm ships {', '.join(files)}"
        raise BadInput.one("--starter", f"no {name}; {known}", did_you_mean(name, files), code="starter")
    return files[name]


def sample_text() -> Path:
    """Return a text of 1.1 MB in the public domain, to begin with."""
    return starter_folder() / "data" / "tinyshakespeare" / "input.txt.gz"
