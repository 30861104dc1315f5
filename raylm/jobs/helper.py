"""A child process that holds the weights of one checkpoint, `raylm generate RUN@STEP --stdio`.

So weights live in neither kernel nor server. What is asked is queued at once, also while the weights are
still being read; what is written is kept here until somebody reads it.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple

from raylm.config.errors import BadInput
from raylm.jobs.writing import Writing

IDLE_SECONDS = 300.0
_MAX_LINE = 900_000  # bytes; the process takes lines of 1 MB
_GRACE_SECONDS = 2.0
_LAST_LINES = 5  # of its errors that are shown
_LAST_BYTES = 4096


class CheckpointPlace(NamedTuple):
    """Whose weights are wanted."""

    run_uri: str
    storage: str
    step: int


class Helper:
    """One such process; its methods may be called from any thread and return at once."""

    def __init__(self, checkpoint: CheckpointPlace, idle_seconds: float = IDLE_SECONDS) -> None:
        self.checkpoint = checkpoint
        self.facts: dict[str, Any] = {}
        """What it says of itself once the weights are there: family, writes, context, mask_token ..."""
        self._idle_seconds = idle_seconds
        self._used = time.monotonic()
        self._lock = threading.Lock()
        self._unfinished: dict[str, Writing] = {}
        self._is_ended = False
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the thread that hears of the end
        self._process = _start(checkpoint, idle_seconds, self._errors.fileno())
        for work in (self._say, self._hear):
            threading.Thread(target=work, name="raylm-helper", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        """Whether it may be asked; not just before it ends because nobody did."""
        idle = time.monotonic() - self._used
        is_fresh = bool(self._unfinished) or idle < self._idle_seconds - min(2.0, self._idle_seconds / 4)
        return is_fresh and not self._is_ended and self._process.poll() is None

    @property
    def is_busy(self) -> bool:
        """Whether something is being written."""
        return bool(self._unfinished)

    @property
    def last_used(self) -> float:
        """When it was asked last, or answered: seconds of a clock that only goes up."""
        return self._used

    def ask(self, prompt: str, decoding: Mapping[str, Any]) -> Writing:
        """Have it write to a prompt and return what will hold the text.

        Raises:
            BadInput: the prompt is too long.
        """
        writing = Writing()
        line = _line({**decoding, "type": "generate", "id": writing.id, "prompt": prompt})
        if len(line) > _MAX_LINE:
            message = f"takes {len(line):,} bytes, of which {_MAX_LINE:,} can be sent"
            raise BadInput.one("prompt", message, "shorten it", code="long")
        with self._lock:
            self._used = time.monotonic()
            self._unfinished[writing.id] = writing
            is_ended = self._is_ended
            if self.facts:
                writing.wait_for_turn()
        self._lines.put(line)
        if is_ended:
            self._fail_all("the process that held the weights has ended", "ask again: it is started anew")
        return writing

    def interrupt(self, writing: Writing) -> None:
        """Have it write no more to a request; what is not begun is over at once."""
        if not writing.is_done:
            self._lines.put(_line({"type": "cancel", "id": writing.id}))
            if not self.facts:
                writing.finish({"reason": "cancelled"})

    def end(self, why: str = "") -> None:
        """End the process, whatever it is doing."""
        if why:
            self._fail_all(why, "ask again: it is started anew")
        self._lines.put(None)
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _say(self) -> None:
        """Send what is asked, in a thread: the pipe is full while the weights are being read."""
        assert self._process.stdin is not None
        with suppress(OSError), self._process.stdin as pipe:
            while (line := self._lines.get()) is not None:
                pipe.write(line)
                pipe.flush()

    def _hear(self) -> None:
        """Take what it says, in a thread, until it ends; then nothing is left unfinished."""
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in pipe:
                with suppress(ValueError):  # whoever is killed may leave half a line
                    self._take(json.loads(line))
        code = self._process.wait()
        with self._lock:
            self._is_ended = True
        self._lines.put(None)
        self._fail_all(*self._obituary(code))
        self._errors.close()

    def _take(self, message: dict[str, Any]) -> None:
        self._used = time.monotonic()
        take = self._takers.get(str(message.get("type")))
        if take is not None:
            take(self, message)

    def _take_ready(self, message: dict[str, Any]) -> None:
        with self._lock:
            self.facts = message
            waiting = list(self._unfinished.values())
        for writing in waiting:
            writing.wait_for_turn()

    def _take_piece(self, message: dict[str, Any]) -> None:
        if writing := self._unfinished.get(str(message["id"])):
            known = ("id", "type", "prompt", "text", "is_last")
            writing.add(message["text"], {name: each for name, each in message.items() if name not in known})

    def _take_done(self, message: dict[str, Any]) -> None:
        if writing := self._pop(message["id"]):
            writing.finish({name: each for name, each in message.items() if name not in ("id", "type")})

    def _take_error(self, message: dict[str, Any]) -> None:
        if message["id"] is None:  # of the checkpoint itself
            self._fail_all(message["message"], message["mend"], message["field"])
        elif writing := self._pop(message["id"]):
            writing.fail(message["message"], message["mend"], message["field"])

    _takers: ClassVar = {
        "ready": _take_ready,
        "piece": _take_piece,
        "done": _take_done,
        "error": _take_error,
    }

    def _pop(self, id_: str) -> Writing | None:
        with self._lock:
            return self._unfinished.pop(id_, None)

    def _fail_all(self, message: str, mend: str, field: str = "") -> None:
        with self._lock:
            failed, self._unfinished = list(self._unfinished.values()), {}
        for writing in failed:
            writing.fail(message, mend, field)

    def _obituary(self, code: int) -> tuple[str, str]:
        """Return why it ended, with what it wrote last, and what to do."""
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - _LAST_BYTES))
        lines = self._errors.read().decode(errors="replace").splitlines()
        said = "\n".join([line for line in lines if line.strip()][-_LAST_LINES:])
        message = f"the process that held the weights ended ({how})" + (f": {said}" if said else "")
        return message, "generate again: it is started anew"


def _start(checkpoint: CheckpointPlace, idle_seconds: float, errors: int) -> "subprocess.Popen[bytes]":
    command = [
        sys.executable, "-m", "raylm", "generate", f"{checkpoint.run_uri}@{checkpoint.step}", "--stdio",
        "--storage", checkpoint.storage, "--idle-seconds", str(idle_seconds),
    ]  # fmt: skip
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,  # an interrupt of a cell goes to the kernel's whole group
    )


def _line(request: Mapping[str, Any]) -> bytes:
    return json.dumps(request).encode() + b"\n"
