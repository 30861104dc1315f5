"""`section.field=value` on the command line, laid over the values of a file."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from raylm.config.errors import BadInput, Problem
from raylm.config.secrets import is_secret, shown
from raylm.config.yaml import KeyPath, parse_value

PLACE = "command line"


class Override(NamedTuple):
    """One field's new value."""

    path: KeyPath
    value: Any


def read_overrides(arguments: Iterable[str]) -> tuple[list[Override], list[Problem]]:
    """Return the overrides, and what is wrong with those that cannot be read."""
    overrides: dict[KeyPath, Override] = {}
    problems: list[Problem] = []
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not equals or not all(name.split(".")):
            mend = "write section.field=value, such as train.max_steps=100"
            problems.append(Problem("", f"{shown(argument)} is no override", mend, PLACE, "override"))
            continue
        path = tuple(int(part) if part.isdecimal() else part for part in name.split("."))
        if path in overrides:
            problems.append(Problem(_shown_name(name), "given twice", "keep one of them", PLACE, "duplicate"))
            continue
        try:
            overrides[path] = Override(path, parse_value(text))
        except BadInput as error:
            problems += [
                Problem(_shown_name(name), each.message, each.mend, PLACE, each.code)
                for each in error.problems
            ]
    return list(overrides.values()), problems


def apply_override(values: Any, override: Override) -> Any:
    """Return the values with one field replaced; a section that is not there is made.

    Raises:
        BadInput: the path leads through a field that is no section, or past the end of a list.
    """
    return _replaced(values, override.path, override)


def _replaced(values: Any, rest: KeyPath, override: Override) -> Any:
    if not rest:
        return override.value
    part, *others = rest
    if isinstance(values, list | tuple):
        return _replaced_item(list(values), rest, override)
    if values is None or isinstance(values, dict):
        section = dict(values or {})
        section[str(part)] = _replaced(section.get(str(part)), tuple(others), override)
        return section
    above = ".".join(str(each) for each in override.path[: len(override.path) - len(rest)])
    raise BadInput.one(_shown_path(override.path), f"{above} has no fields", "", PLACE, "override")


def _replaced_item(items: list[Any], rest: KeyPath, override: Override) -> list[Any]:
    index, *others = rest
    if not isinstance(index, int) or index >= len(items):
        numbers = f"give a number from 0 to {len(items) - 1}" if items else "the list is empty"
        raise BadInput.one(
            _shown_path(override.path), f"the list has no {shown(index)}", numbers, PLACE, "override"
        )
    items[index] = _replaced(items[index], tuple(others), override)
    return items


def _shown_path(path: KeyPath) -> str:
    return _shown_name(".".join(str(part) for part in path))


def _shown_name(name: str) -> str:
    return "***" if is_secret(name) else name
