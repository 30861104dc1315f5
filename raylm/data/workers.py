"""Who does a preparation's work: this process, or several of this machine's.

A worker process is a fresh interpreter at the end of a pipe: it runs none of the caller's script, and when
the caller is killed its pipe closes and it ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, Pipe, wait
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from raylm.config.choice import loaded_plugins
from raylm.config.errors import BadInput, RunFailed

T = TypeVar("T")
R = TypeVar("R")


class Workers(Protocol):
    """Runs a function over tasks. Function, tasks and results are values that travel between processes."""

    def map(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield each task's number and result, in any order.

        Raises:
            BadInput: what a task raised.
            RunFailed: a worker died.
        """
        ...


class Here:
    """This process alone."""

    def map(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        for number, task in enumerate(tasks):
            yield number, function(task)


class Processes:
    """Processes of this machine; a `with` block ends them."""

    def __init__(self, num_workers: int) -> None:
        self._num_workers = num_workers
        self._started: list[tuple[subprocess.Popen[bytes], Connection]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process, pipe in self._started:
            pipe.close()
            if kind is not None:
                process.kill()  # what it was writing shows only when it is whole
        for process, _ in self._started:
            process.wait()

    def map(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        waiting = iter(enumerate(tasks))
        busy: set[Connection] = set()
        for pipe in self._pipes(len(tasks)):
            self._send_next(pipe, function, waiting, busy)
        while busy:
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                busy.discard(pipe)
                number, result = self._receive(pipe)
                self._send_next(pipe, function, waiting, busy)
                yield number, result

    def _pipes(self, num_tasks: int) -> list[Connection]:
        while len(self._started) < min(num_tasks, self._num_workers):
            self._started.append(_start())
        return [pipe for _, pipe in self._started[:num_tasks]]

    def _receive(self, pipe: Connection) -> tuple[int, Any]:
        try:
            number, result, error = pipe.recv()
        except (EOFError, ConnectionError):
            raise self._died(pipe) from None
        if error is not None:
            raise error
        return number, result

    def _send_next(
        self,
        pipe: Connection,
        function: Callable[[T], Any],
        waiting: Iterator[tuple[int, T]],
        busy: set[Connection],
    ) -> None:
        task = next(waiting, None)
        if task is None:
            return
        try:
            pipe.send((function, *task))
        except ConnectionError:
            raise self._died(pipe) from None
        busy.add(pipe)

    def _died(self, pipe: Connection) -> RunFailed:
        process = next(process for process, other in self._started if other is pipe)
        reason = f"a preparing process died (exit code {process.wait()})"
        return RunFailed(reason, "if memory ran out, lower data.num_workers; what is done is kept")


def _start() -> tuple[subprocess.Popen[bytes], Connection]:
    ours, theirs = Pipe()
    # One thread each: so many processes share the cores already.
    environment = {**os.environ, "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    process = subprocess.Popen(
        [sys.executable, "-m", "raylm.data.workers", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # a Ctrl-C at the terminal is the caller's to answer
    )
    theirs.close()
    ours.send(loaded_plugins())
    return process, ours


def _serve(pipe: Connection) -> None:
    """Answer tasks until the other end closes."""
    from raylm.config.choice import load_plugin

    for path in pipe.recv():
        load_plugin(path)
    while True:
        try:
            function, number, task = pipe.recv()
            pipe.send(answer(function, number, task))
        except (EOFError, ConnectionError):  # the caller has ended; what is done is kept
            return


def answer(function: Callable[[Any], Any], number: int, task: Any) -> tuple[int, Any, Exception | None]:
    """Run a task; a person's mistake or a full disk comes back as a value, for it must reach the caller."""
    try:
        return number, function(task), None
    except (BadInput, RunFailed, OSError) as error:
        return number, None, error


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
