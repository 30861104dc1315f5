"""A cell of a notebook as a job: a plain file, which sees nothing of the notebook that it was written in."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from raylm.config.errors import BadInput, RunFailed
from raylm.config.places import state_path, write_private
from raylm.config.yaml import load_yaml
from raylm.jobs.programs import Job, submit_program
from raylm.runs.run import Run

_FIRST_LINE = "# Submitted from a notebook; the lines have the numbers that they have there.\n"


@dataclass(frozen=True)
class Order:
    """What the first line of a cell asks for."""

    overrides: Sequence[str] = ()
    recipe: str | None = None
    address: str | None = None
    name: str | None = None
    storage: str | None = None


def submit_cell(cell: str, order: Order, notify: Callable[[str], None]) -> Run | Job:
    """Submit a cell as a job.

    With a recipe, the cell is a plug-in of it: it defines kinds, and the run is submitted as `raylm submit`
    does, the cell kept with it. Without one, the cell is a program that runs on the cluster.

    Args:
        cell: The lines behind the first one.
        order: What the first line asks for.
        notify: Called with a line about what takes time.

    Raises:
        BadInput: the cell is not Python, or what it asks for does not fit; nothing was submitted.
        RunFailed: the cluster took no job.
    """
    source = _FIRST_LINE + cell
    _check(source)
    if order.recipe is not None:
        return _submit_run(source, order, order.recipe, notify)
    given = [*order.overrides, *([f"--name {order.name}"] if order.name else [])]
    if given:
        mend = "name it with --recipe FILE, or write this into the cell"
        raise BadInput.one("%%raylm submit", f"{given[0]} changes a recipe, and none is named", mend)
    return submit_program(source, Path.cwd(), order.address, order.storage, notify)


def _check(source: str) -> None:
    """Refuse a cell that is not plain Python, before anything is submitted."""
    try:
        compile(source, "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:
        text = (error.text or "").strip()
        ipython = text.startswith(("%", "!", "?"))
        mend = "a job knows plain Python only, not IPython's own commands" if ipython else ""
        where = f"line {error.lineno}: {error.msg}{f': {text}' if text else ''}"
        raise BadInput.one("%%raylm submit", where, mend, code="syntax") from None
    except ValueError as error:  # a null byte
        raise BadInput.one("%%raylm submit", str(error), code="syntax") from None


def _submit_run(source: str, order: Order, recipe: str, notify: Callable[[str], None]) -> Run:
    """Submit as a shell would, in a process of its own: here the kinds of an earlier cell are in the way."""
    cell = state_path() / "cells" / f"cell_{sha256(source.encode()).hexdigest()[:12]}.py"
    write_private(cell, source)
    others = load_yaml(recipe).values.get("plugins") or []
    overrides = [*order.overrides, f"plugins={json.dumps([*others, str(cell)])}"]
    overrides += [f"name={order.name}"] if order.name else []
    options = [
        part
        for name, value in (("--address", order.address), ("--storage", order.storage))
        if value
        for part in (name, value)
    ]
    command = [sys.executable, "-m", "raylm", "submit", *options, "--json", "--", recipe, *overrides]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stderr:
            notify(line.rstrip("\n"))
        answer = process.stdout.read()
    if process.returncode:
        raise RunFailed("nothing was submitted", "what is wrong stands above")
    return Run.from_uri(json.loads(answer)["uri"])
