"""A section whose class is picked by its `kind`; defining a subclass registers it."""

import importlib
import importlib.util
import pkgutil
import sys
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ModelWrapValidatorHandler, ValidationError, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from raylm.config.errors import BadInput
from raylm.config.near import did_you_mean
from raylm.config.secrets import shown
from raylm.config.sections import Section

ENTRY_POINTS = "raylm.kinds"
_PLUGIN = "raylm_plugin_"


class Choice(Section):
    """Base of an extensible section.

    A family derives from Choice and states a contract; a kind derives from the family, in a file of its own,
    with `kind: Literal["name"] = "name"`.
    """

    kinds: ClassVar[dict[str, type["Choice"]]]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if cls.is_family():
            cls.kinds = {}
            return
        if "kind" not in cls.model_fields:  # a class that several kinds share
            return
        kind = cls.model_fields["kind"].default
        other = cls.kinds.setdefault(kind, cls)
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"{cls.__qualname__} and {other.__qualname__} both claim kind {kind!r}.")
        cls.kinds[kind] = cls

    @classmethod
    def is_family(cls) -> bool:
        """Whether this class states a contract, as opposed to being one of its kinds."""
        return Choice in cls.__bases__

    @classmethod
    def plugin(cls) -> dict[str, str]:
        """Return what changes with the plug-in file that defines this kind; nothing for any other kind."""
        is_plugin = cls.__module__.startswith(_PLUGIN)
        return {"plugin": cls.__module__.removeprefix(_PLUGIN)} if is_plugin else {}

    @model_validator(mode="wrap")
    @classmethod
    def _pick(cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Any:
        if not isinstance(value, dict) or not cls.is_family():
            return handler(value)
        kind = value.get("kind")
        if not isinstance(kind, str) or kind not in cls.kinds:
            raise _unknown_kind(cls, kind)
        return cls.kinds[kind].model_validate(value, context=info.context)


def _unknown_kind(family: type[Choice], kind: object) -> ValidationError:
    known = sorted(family.kinds)
    listed = f"raylm has {', '.join(known)}"
    message = "missing" if kind is None else f"{shown(kind)} unknown"
    near = "" if kind is None else did_you_mean(str(kind), known)
    text = "; ".join(part for part in (message, listed, near) if part)
    details = InitErrorDetails(
        type=PydanticCustomError("kind", "{text}", {"text": text}), loc=("kind",), input=kind
    )
    return ValidationError.from_exception_data(family.__name__, [details])


def discover(package: str) -> None:
    """Import every module of a package, so that the kinds defined there register."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")


def discover_entry_points() -> None:
    """Import the modules that installed packages name in the entry-point group `raylm.kinds`.

    Raises:
        BadInput: one of them cannot be imported.
    """
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            entry.load()
        except Exception as error:
            raise BadInput.one(
                f"{ENTRY_POINTS}.{entry.name}", f"{entry.value} cannot be imported: {error}"
            ) from error


def load_plugin(path: str | Path) -> str:
    """Run a person's own file of kinds once per content; return the sha256 of its bytes.

    Raises:
        BadInput: the file is missing or raises while it is imported.
    """
    path = Path(path)
    try:
        digest = sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        reason = getattr(error, "strerror", None) or error
        raise BadInput.one("plugins", f"{path} cannot be read: {reason}", code="plugin") from None
    name = f"{_PLUGIN}{digest[:16]}"
    if name not in sys.modules:
        _import_file(path, name)
    return digest


def loaded_plugins() -> list[str]:
    """Return the paths of the plug-ins of this process, for another one that is to know their kinds."""
    found = (module for name, module in sys.modules.items() if name.startswith(_PLUGIN))
    return [module.__file__ for module in found if module.__file__]


class _FromSource(SourceFileLoader):
    """Compiles the file each time: cached bytecode is stale when an edit keeps the size and the second."""

    def get_code(self, fullname: str) -> Any:
        del fullname
        return self.source_to_code(self.get_data(self.path), self.path)


def _import_file(path: Path, name: str) -> None:
    loader = _FromSource(name, str(path)) if path.suffix == ".py" else None
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None or spec.loader is None:
        raise BadInput.one("plugins", f"{path} is not a Python file", "name a .py file", code="plugin")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise BadInput.one("plugins", f"{path} cannot be imported: {error}", code="plugin") from error
