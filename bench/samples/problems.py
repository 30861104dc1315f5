"""Small problems of programming, mended so that each solution runs after its prompt and passes its test."""

import ast
import re
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping

_ENDLESS = {"MbppEval/56"}  # its solution calls itself without end
_USES_MATH = re.compile(r"\bmath\.")
_INDENT = 4  # of the prompts


def problems(rows: Iterable[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Yield the problems whose solution is one, its lines as far in as those of the prompt."""
    for row in rows:
        prompt, solution = row["prompt"], row.get("canonical_solution", "")
        if not _is_python(prompt + solution):
            solution = textwrap.indent(textwrap.dedent(solution.expandtabs(_INDENT)), " " * _INDENT)
        test = row["test"]
        if _USES_MATH.search(test):
            test = f"import math\n{test}"
        if solution and _is_python(prompt + solution) and row["task_id"] not in _ENDLESS:
            yield {
                "task_id": row["task_id"],
                "prompt": prompt,
                "canonical_solution": solution,
                "entry_point": row["entry_point"].strip(),
                "test": test,
            }


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):  # of escapes such as "\\w"
            ast.parse(text)
    except SyntaxError:
        return False
    return True
