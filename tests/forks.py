"""Processes forked from one that has imported what takes seconds, and has done nothing else."""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["raylm.cli", "raylm.engine.start", "raylm.distributed.worker", "transformers.modeling_utils", "peft"]
)


def start_fork(
    script: str, arguments: Sequence[str], environment: Mapping[str, str], output: tuple[Path, Path]
) -> ForkServerProcess:
    """Start a script as if it were given to a fresh interpreter, its output and its errors in files."""
    files = [str(path) for path in output]
    for path in output:
        path.touch()  # whoever asks before the process has begun finds nothing written
    process = _FORKS.Process(target=_run, args=(script, list(arguments), dict(environment), files))
    process.start()
    return process


def _run(script: str, arguments: list[str], environment: dict[str, str], files: list[str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(files, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_TRUNC), number)
    sys.argv = ["-c", *arguments]
    exec(compile(script, "script", "exec"), {"__name__": "__main__"})
    sys.stdout.flush()
