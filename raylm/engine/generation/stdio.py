"""`raylm generate --stdio`: a process that holds a model and writes to whoever asks, in JSON lines.

It says `ready`, then answers each `generate` with `piece` lines and a `done` or an `error`, one request at a
time; the others wait. `cancel` takes effect between two tokens. It ends when told to `quit`, when its input
is closed and all is answered, or when nobody has asked anything for a while.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar

from raylm.config.errors import BadInput, Problem
from raylm.engine.generation.decoding import Chunk
from raylm.engine.generation.inbox import MAX_LINE, Inbox
from raylm.engine.generation.requests import (
    CancelRequest,
    GenerateRequest,
    QuitRequest,
    Refused,
    Request,
    parse,
)
from raylm.engine.generation.writer import Writer

PROTOCOL = 1


class Channel:
    """The standard output, for these lines only: what libraries print goes to the errors."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._file: BinaryIO = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)

    def send(self, **message: Any) -> None:
        """Write one line."""
        self._file.write(json.dumps(message).encode() + b"\n")
        self._file.flush()

    def send_problem(self, id_: str | None, problem: Problem) -> None:
        """Write what is wrong with a request."""
        self.send(id=id_, type="error", field=problem.field, message=problem.message, mend=problem.mend)


@dataclass
class _Progress:
    """What was written to a request so far."""

    started: float = field(default_factory=time.monotonic)
    first: float | None = None
    num_tokens: dict[int, int] = field(default_factory=dict)

    def add(self, chunk: Chunk) -> None:
        """Count a chunk: a token, or all of a prompt's where they come at once."""
        if self.first is None:
            self.first = time.monotonic() - self.started
        counted = self.num_tokens.get(chunk.prompt, 0) + 1
        self.num_tokens[chunk.prompt] = chunk.details.get("num_tokens", counted)

    def facts(self) -> dict[str, Any]:
        """Return the figures of a request that is done."""
        seconds, total = time.monotonic() - self.started, sum(self.num_tokens.values())
        return {
            "num_tokens": total,
            "seconds": round(seconds, 4),
            "seconds_to_first": None if self.first is None else round(self.first, 4),
            "tokens_per_second": round(total / seconds, 2) if seconds else None,
        }


class Service:
    """Answers what arrives at an inbox with what a writer writes."""

    def __init__(self, writer: Writer, inbox: Inbox, channel: Channel, idle_seconds: float) -> None:
        self._writer, self._inbox, self._channel = writer, inbox, channel
        self._idle_seconds = idle_seconds
        self._waiting: deque[GenerateRequest] = deque()
        self._running: str | None = None
        self._is_cancelled = False
        self._is_quitting = False

    def serve(self, **facts: Any) -> None:
        """Say `ready` with the facts, then answer until the end."""
        try:
            self._channel.send(type="ready", **facts, **self._facts())
            self._channel.send(type="bye", reason=self._answer_all())
        except BrokenPipeError:  # nobody reads any more
            return

    def _facts(self) -> dict[str, Any]:
        speaker = self._writer.speaker
        return {
            "protocol": PROTOCOL,
            "family": speaker.model.config.model_type,
            "head": type(speaker.model).__name__,
            "writes": self._writer.kind,
            "continues": self._writer.continues,
            "context": speaker.context,
            "mask_token": speaker.tokenizer.mask_token,
            "max_line_bytes": MAX_LINE,
        }

    def _answer_all(self) -> str:
        """Return why it ended."""
        while not self._is_quitting:
            if self._waiting:
                self._answer(self._waiting.popleft())
                self._hear()
            elif self._inbox.is_closed:
                return "closed"
            elif self._inbox.idle_seconds() >= self._idle_seconds:
                return "idle"
            else:
                self._hear(self._idle_seconds - self._inbox.idle_seconds())
        return "quit"

    def _answer(self, request: GenerateRequest) -> None:
        self._running, self._is_cancelled = request.id, False
        progress = _Progress()
        try:
            for chunk in self._writer.write(request.texts(), request, self._hear_cancelled):
                progress.add(chunk)
                self._send_piece(request.id, chunk)
        except BrokenPipeError:
            raise
        except BadInput as error:
            self._channel.send_problem(request.id, error.problems[0])
        except Exception as error:  # noqa: BLE001 - out of memory, say: the next request may be smaller
            message = f"{type(error).__name__}: {error}"
            self._channel.send_problem(request.id, Problem("", message, "ask for less at a time"))
        else:
            reason = "cancelled" if self._is_cancelled else "finished"
            self._channel.send(id=request.id, type="done", reason=reason, **progress.facts())
        self._running = None
        self._inbox.touch()

    def _send_piece(self, id_: str, chunk: Chunk) -> None:
        if chunk.text or chunk.is_last:
            line = {"id": id_, "type": "piece", "prompt": chunk.prompt, "text": chunk.text}
            self._channel.send(**line, is_last=chunk.is_last, **chunk.details)

    def _hear_cancelled(self) -> bool:
        self._hear()
        return self._is_cancelled

    def _hear(self, timeout: float = 0.0) -> None:
        """Take what has arrived."""
        for line in self._inbox.lines(timeout):
            try:
                request = parse(line)
                self._takers[type(request)](self, request)
            except Refused as refused:
                self._channel.send_problem(refused.id, refused.problem)

    def _take_generate(self, request: GenerateRequest) -> None:
        if request.id == self._running or any(request.id == each.id for each in self._waiting):
            raise Refused(
                Problem("id", f"request {request.id!r} is not done yet", "give another id"), request.id
            )
        self._waiting.append(request)

    def _take_cancel(self, request: CancelRequest) -> None:
        if request.id == self._running:
            self._is_cancelled = True
        for waiting in [each for each in self._waiting if each.id == request.id]:
            self._waiting.remove(waiting)
            self._channel.send(id=waiting.id, type="done", reason="cancelled", **_Progress().facts())

    def _take_quit(self, request: QuitRequest) -> None:
        del request
        self._is_cancelled = self._is_quitting = True
        for waiting in [*self._waiting]:
            self._take_cancel(CancelRequest(type="cancel", id=waiting.id))

    _takers: ClassVar[Mapping[type[Request], Callable[..., None]]] = {
        GenerateRequest: _take_generate,
        CancelRequest: _take_cancel,
        QuitRequest: _take_quit,
    }
