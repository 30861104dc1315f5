"""What a form or a table of the documentation needs to know of every field, as plain JSON."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from raylm.config.choice import Choice
from raylm.config.docstrings import help_of
from raylm.config.fields import alternatives, bounds, section_class
from raylm.config.sections import Section

_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean"}
_LIMITS = {"ge": "minimum", "gt": "exclusive_minimum", "le": "maximum", "lt": "exclusive_maximum"}


def describe_recipe(recipe: type[Section]) -> dict[str, Any]:
    """Return {"sections": [...]}: the recipe's own fields under the name "", then its sections in order.

    A section has "name", "title", "help", and either "fields" or, where its kind can be chosen, "kinds"
    ({kind: {"title", "help", "fields"}}) with "default" and "many" (whether it is a list). A field has "name"
    (dotted, `*` for an item of a list), "title", "type" (integer, number, string, boolean, enum, list or
    choice), "default", "required", "unit", "group", "help", "advanced" and, where they apply, "enum",
    "minimum", "maximum", "exclusive_minimum", "exclusive_maximum", "items", "kinds".
    """
    plain = [name for name, field in recipe.model_fields.items() if section_class(field.annotation) is None]
    own: dict[str, Any] = {"name": "", "title": "Run", "help": _help(recipe)}
    own["fields"] = [_field(recipe, name, name, "Run") for name in plain]
    others = [_section(name, field) for name, field in recipe.model_fields.items() if name not in plain]
    return {"sections": [own, *others]}


def describe_section(section: type[Section]) -> list[dict[str, Any]]:
    """Return the fields of a section that stands alone, as `describe_recipe` does; names are not dotted."""
    return [_field(section, name, name, _title(section.__name__)) for name in section.model_fields]


def leaves(section: type[Section], prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of every field of a section and, where it has a kind, of all its kinds."""
    for fields in _kinds_or_self(section):
        for name, field in fields.model_fields.items():
            inner = section_class(field.annotation)
            yield from leaves(inner, f"{prefix}{name}.") if inner else iter([f"{prefix}{name}"])


def _kinds_or_self(section: type[Section]) -> list[type[Section]]:
    if issubclass(section, Choice) and section.is_family():
        return [section.kinds[kind] for kind in sorted(section.kinds)]
    return [section]


def _section(name: str, field: FieldInfo) -> dict[str, Any]:
    section = section_class(field.annotation)
    assert section is not None
    is_many = _is_list(field.annotation)
    is_optional = not field.is_required() and field.default is None
    described = {"name": name, "title": _title(name), "help": _help(section), "many": is_many}
    described |= {"optional": is_optional}
    if issubclass(section, Choice):
        described["kinds"] = _kinds(section, f"{name}.*" if is_many else name)
        described["default"] = None if is_many or is_optional else _default_kind(section, field)
    else:
        described["fields"] = _fields(section, name)
    return described


def _kinds(family: type[Choice], prefix: str) -> dict[str, Any]:
    return {
        kind: {
            "title": _title(kind),
            "help": _help(family.kinds[kind]),
            "fields": _fields(family.kinds[kind], prefix),
        }
        for kind in sorted(family.kinds)
    }


def _default_kind(family: type[Choice], field: FieldInfo) -> str | None:
    default = None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    return getattr(default, "kind", None) or next(iter(sorted(family.kinds)), None)


def _fields(section: type[Section], prefix: str) -> list[dict[str, Any]]:
    group = _title(prefix.split(".", maxsplit=1)[0])
    names = [name for name in section.model_fields if name != "kind"]
    return [_field(section, name, f"{prefix}.{name}", group) for name in names]


def _field(section: type[Section], name: str, full_name: str, group: str) -> dict[str, Any]:
    field = section.model_fields[name]
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, Mapping) else {}
    described = {
        "name": full_name,
        "title": _title(name),
        "required": field.is_required(),
        "default": None
        if field.is_required()
        else _plain(field.get_default(call_default_factory=True, validated_data={})),
        "unit": extra.get("unit", ""),
        "group": extra.get("group") or group,
        "help": _on_one_line(help_of(section, name)),
        "advanced": bool(extra.get("advanced")),
    }
    limits = {_LIMITS[name]: limit for name, limit in bounds(field).items()}
    return described | _type(field.annotation, full_name) | limits


def _type(annotation: Any, full_name: str) -> dict[str, Any]:
    section = section_class(annotation)
    if section is not None and issubclass(section, Choice):
        is_many = _is_list(annotation)
        return {
            "type": "list" if is_many else "choice",
            "kinds": _kinds(section, f"{full_name}.*" if is_many else full_name),
        }
    members = [member for member in alternatives(annotation) if member is not type(None)]
    for member in members:
        if get_origin(member) is Literal:
            return {"type": "enum", "enum": list(get_args(member))}
        if member in _TYPES:
            return {"type": _TYPES[member]}
    return {"type": "list", "items": _item_type(members[0])} if _is_list(annotation) else {"type": "string"}


def _item_type(annotation: Any) -> str:
    arguments = [argument for argument in get_args(annotation) if argument is not ...]
    item = alternatives(arguments[0])[0] if arguments else str
    return _TYPES.get(item, "string")


def _is_list(annotation: Any) -> bool:
    return any(get_origin(member) in (tuple, list) for member in alternatives(annotation))


def _plain(value: Any) -> Any:
    if isinstance(value, Section):
        return value.model_dump(mode="json")
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _help(section: type[Section]) -> str:
    return _on_one_line(section.__doc__ or "")


def _on_one_line(text: str) -> str:
    """Return a text whose lines were broken for the source file as the running text that it is."""
    return " ".join(text.split())
