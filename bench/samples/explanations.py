"""Functions of Python code, each with what its docstring says of it first."""

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_SYNTAX = (3, 11)  # files of newer syntax are left out whatever Python reads them
_SENTENCE = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)
_NOT_PROSE = re.compile(r">>>|:param|@param|https?://|\bArgs\b|\bParameters\b|[{}|=]|: [A-Z]| : ")
_LINES = range(3, 41)
_CHARACTERS = range(40, 1501)
_WORDS = range(4, 41)


def explanations(files: Iterable[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Yield functions of a fair size without their docstrings, and its first sentence; none twice."""
    seen: set[str] = set()
    for file in files:
        for function in _functions(file["text"]):
            description = first_sentence(ast.get_docstring(function) or "")
            if description is None or len(function.body) < 2:  # noqa: PLR2004 - the docstring, and nothing else
                continue
            code = _without_docstring(function, file["text"])
            if len(code.splitlines()) in _LINES and len(code) in _CHARACTERS and code not in seen:
                seen.add(code)
                origin = f"{file['path']}:{function.lineno}"
                yield {"code": code, "description": description, "origin": origin}


def first_sentence(docstring: str) -> str | None:
    """Return the first sentence of a docstring; None where it is none, or too short or long for one."""
    paragraph = " ".join(docstring.strip().partition("\n\n")[0].partition(">>>")[0].split())
    found = _SENTENCE.match(paragraph)
    text = found[1] if found else paragraph
    if _NOT_PROSE.search(text) or len(text.split()) not in _WORDS or not text[0].isupper():
        return None
    return text if text[-1] in ".!?" else f"{text.rstrip(':,;- ')}."


def _functions(text: str) -> Iterator[_Function]:
    try:
        tree = ast.parse(text, feature_version=_SYNTAX)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _without_docstring(function: _Function, text: str) -> str:
    """Return a function's lines as they are written, but for its docstring."""
    lines = text.splitlines()
    docstring = function.body[0]
    first = min([function.lineno, *(each.lineno for each in function.decorator_list)]) - 1
    after = docstring.end_lineno or docstring.lineno
    kept = lines[first : docstring.lineno - 1] + lines[after : function.end_lineno]
    return textwrap.dedent("\n".join(line.rstrip() for line in kept if line.strip()))
