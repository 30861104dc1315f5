"""`%raylm` and `%%raylm submit`, after `%load_ext raylm`."""

import argparse
import shlex
from collections.abc import Callable
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from raylm.api.store import Store
from raylm.config.errors import BadInput, RunFailed
from raylm.config.near import did_you_mean
from raylm.jobs.programs import Job
from raylm.jobs.ray_jobs import job_logs, stop_job
from raylm.runs.run import Run
from raylm.widgets.cells import Order, submit_cell
from raylm.widgets.cockpit import Cockpit, cockpit
from raylm.widgets.panels import Panel, panels

_LINE = "%raylm [PANEL] [--storage URI]"
_CELL = "%%raylm submit [section.field=value ...] [--recipe FILE] [--name NAME] [--address NAME|URL]"


def register(shell: InteractiveShell) -> None:
    """Add the magic to a kernel."""
    shell.magics_manager.register_function(raylm, "line_cell", "raylm")


def raylm(line: str, cell: str | None = None) -> Any:
    """Show the cockpit or one panel of it; with `%%raylm submit`, run the cell as a job on a Ray cluster.

    %raylm [PANEL] [--storage URI]

        Without a panel the whole cockpit: choose, launch, watch, stop and resume runs.

    %raylm logs JOB [--address NAME|URL]
    %raylm stop JOB [--address NAME|URL]

        What a submitted cell printed so far, and its end.

    %%raylm submit [section.field=value ...] [--recipe FILE] [--name NAME] [--address NAME|URL]
                   [--storage URI]

        With --recipe the cell defines kinds of your own (an objective, a data source ...) for that recipe,
        whose fields may be changed: the run is submitted with them, and its id is known at once. Without it
        the cell is a program: `raylm.train(recipe)` in it trains on the cluster that the job runs on.
        The cell is sent as a plain Python file and sees nothing of this notebook. On a cluster elsewhere it
        finds itself alone in its folder; name files there by their whole path.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{line}: {error}") from None
    try:
        return _line(words) if cell is None else _cell(words, cell)
    except (BadInput, RunFailed) as error:
        raise UsageError(str(error)) from None


class _Words(argparse.ArgumentParser):
    """Reads the words behind a magic; what is wrong is one line, and ends nothing but the cell."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. Usage: {self.usage}")


def _words(usage: str, *options: str) -> _Words:
    words = _Words(usage=usage, add_help=False, allow_abbrev=False)
    for option in options:
        words.add_argument(option)
    return words


def _line(words: list[str]) -> Any:
    verb = _VERBS.get(words[0]) if words else None
    if verb is not None:
        return verb(words[1:])
    if words[:1] == ["submit"]:
        raise UsageError(f"submit runs a cell, so it takes two signs: {_CELL}")
    reader = _words(_LINE, "--storage")
    reader.add_argument("panel", nargs="?", default="")
    given = reader.parse_args(words)
    return _shown(given.panel, given.storage)


def _shown(title: str, storage: str | None) -> Cockpit | Panel:
    if title.casefold() in ("", "cockpit"):
        return cockpit(storage=storage)
    titles = {kind.title.casefold(): kind for kind in panels()}
    kind = titles.get(title.casefold())
    if kind is None:
        names = [each.title for each in titles.values()]
        near = did_you_mean(title, [*names, *_VERBS])
        raise UsageError(f"{title!r} is no panel of {', '.join(names)}{f'; {near}' if near else ''}")
    return kind(Store(storage))


def _cell(words: list[str], cell: str) -> Run | Job:
    if words[:1] != ["submit"]:
        raise UsageError(f"a cell can be submitted: {_CELL}")
    reader = _words(_CELL, "--recipe", "--name", "--address", "--storage")
    reader.add_argument("overrides", nargs="*")
    return submit_cell(cell, Order(**vars(reader.parse_intermixed_args(words[1:]))), _tell)


def _job(words: list[str]) -> tuple[str, str | None]:
    """Return the id of a job and the cluster that it is on."""
    reader = _words("%raylm logs|stop JOB [--address NAME|URL]", "--address")
    reader.add_argument("job")
    given = reader.parse_args(words)
    return given.job, given.address


def _logs(words: list[str]) -> None:
    _tell(job_logs(*_job(words)))


def _stop(words: list[str]) -> None:
    _tell("asked it to end" if stop_job(*_job(words)) else "it has ended already")


_VERBS: dict[str, Callable[[list[str]], None]] = {"logs": _logs, "stop": _stop}


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what a cell says
