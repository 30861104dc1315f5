"""The one YAML loader: YAML 1.2's plain scalars, line numbers, no tags, no repeated keys, no bombs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from raylm.config.errors import BadInput, Problem
from raylm.config.near import nearest
from raylm.config.secrets import is_secret

MAX_BYTES = 1_000_000
MAX_NODES = 10_000  # values after aliases are expanded
MAX_DEPTH = 32

_PLAIN, _TEXT, _COLLECTION = "plain", "text", "collection"
# YAML 1.2 core schema, https://yaml.org/spec/1.2.2/#103-core-schema: no sexagesimal numbers, no timestamps,
# and `no`, `on`, `NO` stay text.
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: value
    for value, words in ((True, "true True TRUE"), (False, "false False FALSE"))
    for word in words.split()
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"([-+]?)\.(inf|Inf|INF|nan|NaN|NAN)")

KeyPath = tuple[str | int, ...]


class Document(NamedTuple):
    """A parsed file: its values, the line (from 1) of each value by key path, and the path it came from."""

    values: dict[str, Any]
    lines: dict[KeyPath, int]
    path: str


def load_yaml(path: str | Path) -> Document:
    """Read a YAML file whose top is a mapping.

    Raises:
        BadInput: the file is missing, empty, over 1 MB, not UTF-8 or not YAML, or holds tags, repeated keys,
            or aliases that expand over 10,000 values.
    """
    path = Path(path)
    return parse_yaml(_decode(_read(path), path), path)


def parse_yaml(text: str, path: str | Path) -> Document:
    """Read the text of a YAML file whose top is a mapping; errors as `load_yaml`."""
    path = Path(path)
    reader = _Reader(path.name)
    values = reader.read(text)
    if reader.problems:
        raise BadInput(*reader.problems)
    if values is None:
        raise BadInput.one(path.name, "is empty", "start from `raylm init NAME`", code="empty")
    if not isinstance(values, dict):
        raise BadInput.one(
            path.name, "holds no `section:` at the top", "start from `raylm init NAME`", code="not_mapping"
        )
    return Document(values, reader.lines, str(path))


def parse_value(text: str) -> Any:
    """Return the value written as `text` on a command line, read as YAML.

    Raises:
        BadInput: the text is not a YAML value.
    """
    reader = _Reader("")
    value = reader.read(text)
    if reader.problems:
        raise BadInput(*reader.problems)
    return value


def dump_yaml(values: Any) -> str:
    """Return YAML that `load_yaml` reads back to equal values, keys in their given order."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise BadInput.one(str(path), "is a directory", "name a recipe file", code="file")
        if path.stat().st_size > MAX_BYTES:
            raise BadInput.one(
                path.name, f"file over {MAX_BYTES // 10**6} MB", "a recipe is short text", code="file"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise BadInput.one(str(path), "no such file", _neighbours(path), code="file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInput.one(str(path), f"cannot be read: {reason}", code="file") from None


def _neighbours(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    files = [each.name for each in folder.iterdir() if each.is_file()]
    recipes = [name for name in files if name.endswith((".yaml", ".yml"))]
    names = nearest(path.name, files, count=3) or sorted(recipes)[:3]
    return f"near names there: {', '.join(names)}" if names else "make one with `raylm init NAME`"


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise BadInput.one(
            "",
            f"column {column}: byte is not UTF-8",
            "save the file as UTF-8",
            f"{path.name}:{line}",
            "encoding",
        ) from None


class _Loader(yaml.SafeLoader):
    """Composes nodes only; marks each scalar as plain or quoted, so any other tag was written by hand."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        del value
        if kind is not yaml.ScalarNode:
            return _COLLECTION
        return _PLAIN if implicit[0] else _TEXT


class _TooLarge(Exception):  # noqa: N818
    pass


class _Reader:
    """Turns one text into values, noting lines and problems."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []
        self._num_nodes = 0

    def read(self, text: str) -> Any:
        try:
            loader = _Loader(text)
            node = loader.get_single_node()
            return None if node is None else self._value(node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._note((), f"not YAML: {error.problem or error.context}", mark, code="syntax")
        except yaml.YAMLError as error:
            self._note((), f"not YAML: {str(error).splitlines()[0]}", None, code="syntax")
        except (_TooLarge, RecursionError):
            message = f"expands over {MAX_NODES:,} values or nests over {MAX_DEPTH} deep"
            self._note((), message, None, "use fewer aliases", code="too_large")
        return None

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._num_nodes += 1
        if self._num_nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise _TooLarge
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node.tag not in (_PLAIN, _TEXT, _COLLECTION):
            self._note(
                path, "tags such as !!python are not allowed", node.start_mark, "remove the tag", "tag"
            )
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return dict(self._items(node, path))

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if node.tag == _TEXT:
            return node.value
        try:
            return plain_scalar(node.value)
        except ValueError:  # Python reads no whole number of more than 4,300 digits
            self._note(path, "the number has too many digits", node.start_mark, code="number")
            return None

    def _items(self, node: yaml.Node, path: KeyPath) -> Iterator[tuple[str, Any]]:
        first_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._note(path, "a field's name must be a word", key_node.start_mark, code="syntax")
                continue
            key, line = key_node.value, key_node.start_mark.line + 1
            if key in first_lines:
                lines = f"given twice (lines {first_lines[key]}, {line})"
                self._note((*path, key), lines, key_node.start_mark, "keep one of them", "duplicate")
                continue
            first_lines[key] = self.lines[(*path, key)] = line
            yield key, self._value(value_node, (*path, key))

    def _note(
        self, path: KeyPath, message: str, mark: yaml.Mark | None, mend: str = "", code: str = ""
    ) -> None:
        if mark is not None and code == "syntax":
            message = f"column {mark.column + 1}: {message}"
        line = f"{self.name}:{mark.line + 1}" if mark is not None and self.name else self.name
        field = ".".join("***" if is_secret(str(part)) else str(part) for part in path)
        self.problems.append(Problem(field, message, mend, line, code))


def plain_scalar(text: str) -> Any:
    """Return the value of an unquoted YAML scalar: null, true, false, a number, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if special := _SPECIAL_FLOAT.fullmatch(text):
        return float(special[1] + special[2])
    return text


class _Dumper(yaml.SafeDumper):
    """Quotes exactly the texts that this loader would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        is_text = isinstance(plain_scalar(text), str)
    except ValueError:
        is_text = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_text else '"')


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(tuple, yaml.SafeDumper.represent_list)
