"""Walking a section's fields: which class stands at a key path, and what a field accepts, in words."""

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from raylm.config.choice import Choice
from raylm.config.sections import Section

_NOUNS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def section_class(annotation: Any) -> type[Section] | None:
    """Return the section that a field's annotation holds: itself, in a tuple, or optional."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = (section_class(part) for part in get_args(annotation))
    return next((section for section in found if section is not None), None)


def section_at(root: type[Section], values: Any, path: Sequence[str | int]) -> type[Section] | None:
    """Return the section that a key path of raw values leads to, its kind picked; None off the tree."""
    section: type[Section] | None = root
    for part in path:
        values = child(values, part)
        if isinstance(part, int):
            continue
        if section is None or part not in section.model_fields:
            return None
        section = picked(section_class(section.model_fields[part].annotation), values)
    return picked(section, values)


def picked(section: type[Section] | None, values: Any) -> type[Section] | None:
    """Return the kind that the values name when the section is a choice, else the section."""
    if section is None or not issubclass(section, Choice) or not section.is_family():
        return section
    kind = values.get("kind") if isinstance(values, Mapping) else None
    return section.kinds.get(kind, section) if isinstance(kind, str) else section


def child(values: Any, part: str | int) -> Any:
    """Return what stands at one key or index of raw values; None when there is nothing."""
    if isinstance(values, Mapping):
        return values.get(part)
    if isinstance(values, list | tuple) and isinstance(part, int) and part < len(values):
        return values[part]
    return None


def accepted(field: FieldInfo) -> str:
    """Say what a field accepts: `a whole number from 1 to 1,000,000`, `one of ddp, fsdp`."""
    types = [part for part in alternatives(field.annotation) if part is not NoneType]
    words = [_words(part) for part in types]
    return " or ".join(dict.fromkeys(words)) + _range_words(bounds(field), is_whole=int in types)


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the annotation alone."""
    if isinstance(annotation, type) or get_origin(annotation) in (Literal, tuple, list, dict):
        return (annotation,)
    return get_args(annotation) or (annotation,)


def bounds(field: FieldInfo) -> dict[str, float]:
    """Return a field's limits under pydantic's names: ge, gt, le, lt."""
    found: dict[str, float] = {}
    for limit in field.metadata:
        for name in ("ge", "gt", "le", "lt"):
            if isinstance(limit, annotated_types.BaseMetadata) and hasattr(limit, name):
                found[name] = getattr(limit, name)
    return found


def _words(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(str(value) for value in get_args(annotation))
    if get_origin(annotation) in (tuple, list):
        return "a list"
    return _NOUNS.get(annotation, "a section of fields" if section_class(annotation) else "a value")


def _range_words(limits: Mapping[str, float], *, is_whole: bool) -> str:
    low = limits.get("ge")
    high = limits.get("le", limits["lt"] - 1 if is_whole and "lt" in limits else None)
    if is_whole and low is not None and high is not None:
        return f" from {low} to {high}"
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    words = " and ".join(f"{sign} {limits[name]:g}" for name, sign in signs.items() if name in limits)
    return f" {words}" if words else ""
