"""The helper processes of this interpreter: one for each checkpoint that is asked, a few at a time."""

import atexit
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from typing import Any

from raylm.config.errors import BadInput
from raylm.jobs.helper import IDLE_SECONDS, CheckpointPlace, Helper
from raylm.jobs.writing import Writing

MOST_HELPERS = 4  # each holds a model
_KEPT = 64  # writings that can still be read


class HelperPool:
    """Starts helpers, asks them, ends those that were not asked for longest.

    Args:
        most: helpers that live at once.
        idle_seconds: after which one that nobody asks ends.
    """

    def __init__(self, most: int = MOST_HELPERS, idle_seconds: float = IDLE_SECONDS) -> None:
        self._most, self._idle_seconds = most, idle_seconds
        self._lock = threading.Lock()
        self._helpers: dict[CheckpointPlace, Helper] = {}
        self._writings: OrderedDict[str, tuple[Writing, Helper]] = OrderedDict()
        self._owner = os.getpid()

    def helpers(self) -> list[Helper]:
        """Return those that can be asked."""
        with self._lock:
            return [helper for helper in self._helpers.values() if helper.is_usable]

    def ask(self, checkpoint: CheckpointPlace, prompt: str, decoding: Mapping[str, Any]) -> str:
        """Have a checkpoint write to a prompt and return an id by which that is read; returns at once.

        Raises:
            BadInput: the prompt is too long.
        """
        with self._lock:
            helper, ousted = self._helper_of(checkpoint)
            writing = helper.ask(prompt, decoding)
            self._writings[writing.id] = (writing, helper)
            self._forget()
        for each in ousted:
            each.end("its process was ended to make room for another checkpoint")
        return writing.id

    def written(self, writing_id: str, cursor: int) -> dict[str, Any]:
        """Return what was written behind a cursor, as `Writing.since` does.

        Raises:
            BadInput: nothing is written under this id.
        """
        return self._find(writing_id)[0].since(cursor)

    def interrupt(self, writing_id: str) -> None:
        """Write no more to a prompt; what was written stays.

        Raises:
            BadInput: nothing is written under this id.
        """
        writing, helper = self._find(writing_id)
        helper.interrupt(writing)

    def close(self) -> None:
        """End all helpers; not those of the process that this one was forked from."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            helpers, self._helpers = list(self._helpers.values()), {}
        for helper in helpers:
            helper.end("its process was ended")

    def _helper_of(self, checkpoint: CheckpointPlace) -> tuple[Helper, list[Helper]]:
        """Return the helper of a checkpoint, and those that have to go for it."""
        ended = [each for each in self._helpers.values() if not each.is_usable]
        for helper in ended:
            del self._helpers[helper.checkpoint]
            helper.end()  # one that has been idle for so long that it is about to end
        if found := self._helpers.get(checkpoint):
            return found, []
        by_use = sorted(self._helpers.values(), key=lambda helper: (helper.is_busy, helper.last_used))
        ousted = by_use[: max(0, len(by_use) + 1 - self._most)]
        for helper in ousted:
            del self._helpers[helper.checkpoint]
        made = self._helpers[checkpoint] = Helper(checkpoint, self._idle_seconds)
        return made, ousted

    def _find(self, writing_id: str) -> tuple[Writing, Helper]:
        with self._lock:
            found = self._writings.get(writing_id)
        if found is None:
            message = "nothing is being written under it"
            raise BadInput.one("writing_id", message, "generate again", code="no_writing")
        return found

    def _forget(self) -> None:
        """Drop the oldest that are done."""
        over = len(self._writings) - _KEPT
        done = [id_ for id_, (writing, _) in self._writings.items() if writing.is_done]
        for id_ in done[: max(0, over)]:
            del self._writings[id_]


@cache
def shared_pool() -> HelperPool:
    """Return the pool of this interpreter; it ends with it."""
    pool = HelperPool()
    atexit.register(pool.close)
    return pool
