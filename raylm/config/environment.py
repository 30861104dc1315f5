"""`${NAME}` in a recipe's texts is taken from the environment of whoever loads it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from raylm.config.errors import Problem
from raylm.config.report import Origin, dotted
from raylm.config.secrets import is_secret
from raylm.config.yaml import KeyPath

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def expand(values: Any, environment: Mapping[str, str]) -> Any:
    """Return the values with every reference that is set replaced; others stay as they are."""
    return _map_texts(
        values, lambda text: _REFERENCE.sub(lambda found: environment.get(found[1], found[0]), text)
    )


def unset_references(origin: Origin) -> list[Problem]:
    """Return a problem for each `${NAME}` that is left."""
    return [
        Problem(dotted(path), f"{name} is not set", f"export {name}=...", origin.place(path), "environment")
        for path, text in texts(origin.values)
        for name in _REFERENCE.findall(text)
    ]


def secrets_in(origin: Origin) -> list[Problem]:
    """Return a problem for each text that looks like a secret; the text itself is not in it."""
    mend = "take it out of the recipe and set it in the environment, such as env:HF_TOKEN"
    return [
        Problem(dotted(path), "looks like a secret", mend, origin.place(path), "secret")
        for path, text in texts(origin.values)
        if is_secret(text) or any(is_secret(str(part)) for part in path)
    ]


def texts(values: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield every scalar of raw values as text, with its key path."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from texts(value, (*path, key))
    elif isinstance(values, list | tuple):
        for index, value in enumerate(values):
            yield from texts(value, (*path, index))
    else:
        yield path, str(values)


def _map_texts(values: Any, change: Callable[[str], str]) -> Any:
    if isinstance(values, Mapping):
        return {key: _map_texts(value, change) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_map_texts(value, change) for value in values]
    return change(values) if isinstance(values, str) else values
