"""From what the validator found to one line each: the field, where it stands, what it must be, what to do."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from raylm.config.errors import Problem
from raylm.config.fields import accepted, child, section_at
from raylm.config.near import did_you_mean
from raylm.config.secrets import is_secret, shown
from raylm.config.sections import Section
from raylm.config.yaml import KeyPath

_OWN_WORDS = ("kind", "limits", "value_error", "assertion_error")  # errors whose text is already a sentence


class Origin(NamedTuple):
    """Raw values and where each came from: `file:line`, or the command line."""

    values: Mapping[str, Any]
    places: Mapping[KeyPath, str]

    def place(self, path: KeyPath) -> str:
        """Return where a key path stands; else what is under it, else the nearest section above it."""
        below = (place for other, place in self.places.items() if other[: len(path)] == path)
        above = (self.places[path[:end]] for end in range(len(path) - 1, -1, -1) if path[:end] in self.places)
        return self.places.get(path) or next(below, "") or next(above, "")


def problems_of(
    error: ValidationError, root: type[Section], origin: Origin, known: Iterable[Problem] = ()
) -> list[Problem]:
    """Return the known problems and what the validator found: one a field, none above another."""
    problems = {problem.field: problem for problem in known}
    for details in error.errors(include_url=False):
        problem = _problem(details, root, origin)
        problems.setdefault(problem.field, problem)
    return [
        each
        for each in problems.values()
        if not any(field.startswith(f"{each.field}.") for field in problems)
    ]


def dotted(path: Iterable[str | int]) -> str:
    """Return a key path as a person writes it, `data.sources.0.path`; a secret in it as `***`."""
    return ".".join("***" if is_secret(str(part)) else str(part) for part in path)


def _problem(details: ErrorDetails, root: type[Section], origin: Origin) -> Problem:
    path = _real_path(details["loc"], origin.values)
    section = section_at(root, origin.values, path[:-1]) if path else root
    if details["type"] == "extra_forbidden":
        return _unknown(path, section, root, origin)
    name = path[-1] if path else ""
    field = section.model_fields.get(name) if section is not None and isinstance(name, str) else None
    message, mend = _sentence(details, field)
    return Problem(dotted(path), message, mend, origin.place(path), details["type"])


def _real_path(location: KeyPath, values: Any) -> KeyPath:
    """Drop from a validator's location the names of union members, which are no keys."""
    path: list[str | int] = []
    for index, part in enumerate(location):
        is_key = isinstance(values, Mapping) and isinstance(part, str)
        is_item = isinstance(values, list | tuple) and isinstance(part, int)
        if is_key or is_item:
            path.append(part)
            values = child(values, part)
        elif index == 0:
            path.append(part)
    return tuple(path)


def _sentence(details: ErrorDetails, field: FieldInfo | None) -> tuple[str, str]:
    if details["type"] in _OWN_WORDS:
        return details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, "), ""
    if details["type"] == "missing":
        return "missing", f"give {accepted(field)}" if field is not None else ""
    got = details.get("ctx", {}).get("got") or f"got {_shown_input(details['input'])}"
    if field is None:
        return f"{details['msg'].replace('Input should be', 'must be')}, {got}", ""
    return f"must be {accepted(field)}, {got}", _mend(field, details["input"])


def _shown_input(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a section of fields"
    return "a list" if isinstance(value, list | tuple) else shown(value)


def _mend(field: FieldInfo, value: Any) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    if extra.get("usual"):
        return f"usual {extra['usual']}"
    if field.annotation is str and isinstance(value, int | float):
        return "quote it"
    default = field.get_default()
    return f"try {default}" if isinstance(default, int | float | str) and not field.is_required() else ""


def _unknown(path: KeyPath, section: type[Section] | None, root: type[Section], origin: Origin) -> Problem:
    name = str(path[-1])
    mend = did_you_mean(name, section.model_fields if section else ()) or _elsewhere(name, root)
    place = origin.place(path)
    return Problem(
        dotted(path), f"unknown field {dotted([name])}", mend or "remove it", place, "unknown_field"
    )


def _elsewhere(name: str, root: type[Section]) -> str:
    """Say in which other section a field of exactly this name exists."""
    for top in root.model_fields:
        section = section_at(root, {}, (top,))
        if section is not None and name in section.model_fields:
            return f"did you mean {top}.{name}?"
    return ""
