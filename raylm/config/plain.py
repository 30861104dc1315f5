"""From sections back to plain values, as a person would write them."""

from typing import Any

from raylm.config.sections import Section


def plain_values(section: Section) -> dict[str, Any]:
    """Return a section's values for YAML: `kind` first, and nothing for a field that is unset by default."""
    names = sorted(type(section).model_fields, key=lambda name: name != "kind")
    return {name: _plain(getattr(section, name)) for name in names if not _is_unset(section, name)}


def _is_unset(section: Section, name: str) -> bool:
    field = type(section).model_fields[name]
    return getattr(section, name) is None and not field.is_required() and field.default is None


def _plain(value: Any) -> Any:
    if isinstance(value, Section):
        return plain_values(value)
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
