"""A recipe as a person would like to find it: every field they may want, with its help beside it."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from raylm.config.yaml import dump_yaml

_WIDTH = 110  # characters of a line that still ends in its comment

Described = Mapping[str, Any]


def commented_yaml(schema: Described, values: Described) -> str:
    """Return YAML of the values, with the schema's help as comments.

    Fields that the values leave out are written with their default, or as a comment where that is nothing;
    advanced ones are left out.
    """
    lines: list[str] = []
    for section in schema["sections"]:
        name = section["name"]
        given = values.get(name)
        if not name:
            lines += _fields(section["fields"], values, "")
        elif given is not None or not (section["many"] or section["optional"]):
            lines += ["", *_section(section, given or {})]
    return "\n".join(lines) + "\n"


def _section(section: Described, given: Any) -> Iterator[str]:
    yield f"# {section['help']}"
    yield f"{section['name']}:"
    if section["many"]:
        yield from _items(section["kinds"], given, "  ")
    elif "kinds" in section:
        yield from _kind(section["kinds"], {"kind": section["default"], **given}, "  ")
    else:
        yield from _fields(section["fields"], given, "  ")


def _kind(kinds: Described, given: Described, indent: str) -> Iterator[str]:
    others = ", ".join(kind for kind in kinds if kind != given["kind"])
    yield _with_comment(f"{indent}kind: {given['kind']}", f"or {others}" if others else "")
    yield from _fields(kinds[given["kind"]]["fields"], given, indent)


def _items(kinds: Described, given: list[Described], indent: str) -> Iterator[str]:
    for item in given:
        first, *rest = _kind(kinds, item, f"{indent}  ")
        yield f"{indent}- {first.strip()}"
        yield from rest


def _fields(fields: list[Described], given: Described, indent: str) -> Iterator[str]:
    for field in fields:
        name = field["name"].rpartition(".")[2]
        value = given.get(name, field["default"])
        if field["advanced"] and name not in given:
            continue
        if "kinds" in field:
            yield from _with_items(field, name, value, indent)
        elif value is None:
            yield _with_comment(f"{indent}# {name}:", _comment(field))
        else:
            yield _with_comment(f"{indent}{name}: {_scalar(value)}", _comment(field))


def _with_items(field: Described, name: str, value: Any, indent: str) -> Iterator[str]:
    yield _with_comment(f"{indent}{name}:{'' if value else ' []'}", _comment(field))
    yield from _items(field["kinds"], value, f"{indent}  ")


def _scalar(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_scalar(item) for item in value)}]"
    return dump_yaml(value).removesuffix("\n").removesuffix("\n...")


def _comment(field: Described) -> str:
    """Return a field's help, with its choices and its unit where the help does not name them."""
    told = field["help"].removesuffix(".")
    choices = [str(choice) for choice in field.get("enum", ()) if str(choice) not in told]
    unit = field["unit"] if field["unit"].lower() not in told.lower() else ""
    added = " or ".join(choices) or unit
    return f"{told} ({added})" if told and added else told or added


def _with_comment(line: str, comment: str) -> str:
    if not comment:
        return line
    together = f"{line}  # {comment}"
    if len(together) <= _WIDTH:
        return together
    indent = line[: len(line) - len(line.lstrip())]
    return "\n".join(
        [*textwrap.wrap(f"# {comment}", _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}# "), line]
    )
