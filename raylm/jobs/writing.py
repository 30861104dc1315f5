"""What is being written to one prompt, as one thread hears it and others read it."""

import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

PAGE = 16_384  # characters of one answer

_LIST, _TEXT = 400, 4096  # items and characters of a detail that one answer holds
_INNER_LIST, _INNER_TEXT = 20, 256  # the same inside a list


class Writing:
    """A text that grows until it is done, with what else is known of it."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._text: list[str] = []
        self._length = 0
        self._details: dict[str, Any] = {}
        self._figures: dict[str, Any] = {}
        self._error: dict[str, str] | None = None
        self._state = "loading"
        self._num_pieces = 0
        self._began = 0.0

    @property
    def is_done(self) -> bool:
        return self._state in ("done", "failed")

    def wait_for_turn(self) -> None:
        """Note that the weights are there."""
        with self._lock:
            if self._state == "loading":
                self._state = "waiting"

    def add(self, text: str, details: Mapping[str, Any]) -> None:
        """Add a piece."""
        with self._lock:
            if self.is_done:
                return
            self._began = self._began or time.monotonic()
            self._state = "writing"
            self._num_pieces += 1
            self._text.append(text)
            self._length += len(text)
            self._details |= details

    def finish(self, figures: Mapping[str, Any]) -> None:
        """Note that nothing more comes, and why."""
        with self._lock:
            if not self.is_done:
                self._figures, self._state = dict(figures), "done"

    def fail(self, message: str, mend: str = "", field: str = "") -> None:
        """Note why nothing more comes; what was written stays."""
        with self._lock:
            if not self.is_done:
                self._error = {"message": message, "mend": mend, "field": field}
                self._state = "failed"

    def since(self, cursor: int) -> dict[str, Any]:
        """Return what was written behind a cursor, 0 at first, and the cursor to go on from.

        "state" is loading (the weights), waiting (another prompt is written to), writing, done or failed;
        "is_done" says that this is the last answer with anything new. An answer has a bounded size.
        """
        with self._lock:
            text = self._slice(max(0, cursor))
            end = min(self._length, max(0, cursor)) + len(text)
            is_done = self.is_done and end == self._length
            return {
                "text": text,
                "cursor": end,
                "state": self._state,
                "is_done": is_done,
                "figures": self._figures or self._progress(),
                "details": bounded(self._details) if is_done else {},
                "error": self._error if is_done else None,
            }

    def _slice(self, cursor: int) -> str:
        if len(self._text) > 1:  # joined once for all who read
            self._text = ["".join(self._text)]
        return self._text[0][cursor : cursor + PAGE] if self._text else ""

    def _progress(self) -> dict[str, Any]:
        """Return what can be said before the end; a piece is a token, as a rule."""
        if not self._began:
            return {}
        seconds = time.monotonic() - self._began
        rate = round((self._num_pieces - 1) / seconds, 2) if self._num_pieces > 1 and seconds else None
        return {"num_tokens": self._num_pieces, "seconds": round(seconds, 4), "tokens_per_second": rate}


def bounded(value: Any, items: int = _LIST, characters: int = _TEXT) -> Any:
    """Return a JSON value of which long lists and texts are cut."""
    if isinstance(value, str):
        return value if len(value) <= characters else f"{value[:characters]}…"
    if isinstance(value, Mapping):
        return {name: bounded(each, items, characters) for name, each in value.items()}
    if isinstance(value, list):
        return [bounded(each, _INNER_LIST, _INNER_TEXT) for each in value[:items]]
    return value
