"""Programs that a model wrote: how they are put together, whether they parse, whether they pass tests."""

from __future__ import annotations

import ast
import warnings

_LONGEST = 100_000  # characters; longer ones are not a function's body, and deep ones end the parser
_DEEP = " " * 100  # an indent below any head's


def parses(source: str) -> bool:
    """Return whether a text is a Python program by its syntax; it is not run."""
    return _parsed(source) is not None


def is_function_head(prompt: str) -> bool:
    """Return whether a text ends inside a function, such as after its first line or its docstring."""
    tree = _parsed(prompt) or _parsed(f"{prompt.rstrip()}\n{_DEEP}pass")
    if tree is None or not tree.body:
        return False
    last: ast.stmt = tree.body[-1]
    while isinstance(last, ast.ClassDef):
        last = last.body[-1]
    return isinstance(last, ast.FunctionDef | ast.AsyncFunctionDef)


def program(prompt: str, answer: str) -> str:
    """Return the program that an answer makes.

    After a function's head the answer is its body: both are put together as they stand, with a line end
    between them if there is none, and no indent is mended, since to write it is part of the task. After any
    other prompt the answer is the whole program.
    """
    if not is_function_head(prompt):
        return answer
    has_break = prompt.endswith("\n") or answer.startswith("\n")
    return f"{prompt}{'' if has_break else chr(10)}{answer}"


def _parsed(source: str) -> ast.Module | None:
    if len(source) > _LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            # Such as for "\d" in a text: it is about what a model wrote, and nobody's to mend.
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)  # what Python 3.11 calls it
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
