"""Lines from another program, taken without waiting: one thread both writes text and hears what is said."""

from __future__ import annotations

import os
import select
import time

MAX_LINE = 1_000_000  # bytes
_BLOCK = 65536


class Inbox:
    """The lines that arrive at a file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = bytearray()
        self._is_skipping = False
        self.is_closed = False
        self._touched = time.monotonic()

    def touch(self) -> None:
        """Count the time of silence from now."""
        self._touched = time.monotonic()

    def idle_seconds(self) -> float:
        """Return how long nothing has arrived."""
        return time.monotonic() - self._touched

    def lines(self, timeout: float = 0.0) -> list[bytes | None]:
        """Return the whole lines that arrive within `timeout` seconds; None stands for one of over 1 MB."""
        if self.is_closed or not select.select([self._descriptor], [], [], timeout)[0]:
            return []
        data = os.read(self._descriptor, _BLOCK)
        self.touch()
        if data:
            self._rest += data
        else:
            self.is_closed = True
            self._rest += b"\n"  # the last line may lack it
        return [line for line in self._cut() if line is None or line.strip()]

    def _cut(self) -> list[bytes | None]:
        *whole, rest = self._rest.split(b"\n")
        found: list[bytes | None] = []
        for line in whole:
            if not self._is_skipping:
                found.append(bytes(line) if len(line) <= MAX_LINE else None)
            self._is_skipping = False
        if len(rest) > MAX_LINE and not self._is_skipping:
            found.append(None)
            self._is_skipping = True
        self._rest = bytearray() if self._is_skipping else bytearray(rest)
        return found
