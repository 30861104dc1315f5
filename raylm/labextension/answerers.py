"""Processes that answer the screens' heavy questions: started when needed, kept for the next one, ended."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from raylm.api.wire import encode, refusal
from raylm.labextension.answer_loop import IDLE_SECONDS

KEPT = 2  # processes that wait for the next question; each may hold torch
ANSWER_SECONDS = 900.0  # a launch may start a cluster first
_LONGEST_ANSWER = 64 * 2**20  # bytes
_MARGIN = 30.0  # seconds before its idle end in which it is not asked any more


class Answerer:
    """One process that answers one question at a time; see `raylm.labextension.answer_loop`.

    It leads a session of its own, so that an interrupt at the server's terminal ends no launch halfway. It is
    never killed with the server: its input ends, and it follows when it has answered.
    """

    def __init__(self, command: Sequence[str], folder: Path | None) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._answers = asyncio.StreamReader(_LONGEST_ANSWER)
        self._is_connected = False
        self._asked = time.monotonic()

    @property
    def is_ready(self) -> bool:
        """Whether it lives and will for a while."""
        is_young = time.monotonic() - self._asked < IDLE_SECONDS - _MARGIN
        return self._process.poll() is None and is_young

    async def ask(self, method: str, args: dict[str, Any], storage: str | None) -> bytes:
        """Return its answer, a line of JSON.

        Raises:
            OSError: it ended without one, or took too long and was killed.
        """
        await self._connect()
        self._asked = time.monotonic()
        question = json.dumps({"method": method, "args": args, "storage": storage}).encode() + b"\n"
        await asyncio.to_thread(self._write, question)
        try:
            line = await asyncio.wait_for(self._answers.readline(), ANSWER_SECONDS)
        except (TimeoutError, ValueError) as error:  # ValueError: the answer is longer than can be taken
            self._process.kill()
            raise OSError(f"the answering process gave no answer in time: {error or 'killed'}") from None
        if not line.endswith(b"\n"):
            raise OSError("the answering process ended without an answer")
        self._asked = time.monotonic()
        return line

    def close(self) -> None:
        """Let it end when it has answered."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    async def _connect(self) -> None:
        if not self._is_connected:
            loop = asyncio.get_running_loop()
            await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(self._answers), self._process.stdout
            )
            self._is_connected = True

    def _write(self, question: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(question)
        self._process.stdin.flush()


class Answerers:
    """As many as there are questions at once; a few wait for the next one."""

    def __init__(self, folder: Path) -> None:
        # -P: a file of the person's folder must not take the place of a module.
        self._command = [
            sys.executable,
            "-P",
            "-m",
            "raylm.labextension.answer_loop",
            "--folder",
            str(folder),
        ]
        self._folder = folder if folder.is_dir() else None
        self._idle: list[Answerer] = []

    async def answer(self, method: str, args: dict[str, Any], storage: str | None) -> bytes:
        """Return an answerer's answer; a refusal where it gave none."""
        answerer = self._take()
        try:
            answer = await answerer.ask(method, args, storage)
        except OSError as error:
            answerer.close()
            mend = "The server's log says more. What it had begun is in the run's directory."
            return encode(refusal(f"{method} failed: {error}", mend))
        if len(self._idle) < KEPT:
            self._idle.append(answerer)
        else:
            answerer.close()
        return answer

    def close(self) -> None:
        """Let those that wait end."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Answerer:
        while self._idle:
            answerer = self._idle.pop()
            if answerer.is_ready:
                return answerer
            answerer.close()
        return Answerer(self._command, self._folder)
