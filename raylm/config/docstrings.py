"""The docstring under a field, read when a form asks for it.

pydantic would read every class's source when it is made: a third of the time that a recipe's classes take.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


def help_of(model: type[BaseModel], name: str) -> str:
    """Return a field's description, or else the docstring under it, here or in a parent; "" without one."""
    described = model.model_fields[name].description
    return described or next(
        (docs[name] for each in model.__mro__ if name in (docs := _docstrings(each))), ""
    )


@cache
def _docstrings(model: type) -> Mapping[str, str]:
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    except (OSError, TypeError, SyntaxError):
        return {}  # written where no source is kept
    assert isinstance(tree, ast.ClassDef)
    return {
        above.target.id: inspect.cleandoc(below.value.value)
        for above, below in pairwise(tree.body)
        if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(below.value.value, str)
    }
