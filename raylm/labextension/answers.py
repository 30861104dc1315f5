"""Who answers a question: the server's own process where that is quick and safe, else an answerer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from raylm.api.store import Store
from raylm.api.wire import encode, refusal
from raylm.config.errors import BadInput
from raylm.labextension.answerers import Answerers
from raylm.labextension.storages import chosen

# Of the reads that answerers take, these take no recipe. A recipe may name a plug-in, a file that is run when
# it is read, so a question with one must not come by a mere link.
WITHOUT_RECIPE = frozenset({"schema", "starters"})
_THREADS = 8
_TURNS = 32


class Answers:
    """The store's answers as JSON, given without holding up the server's event loop."""

    def __init__(self, storage: str | None, folder: str | Path) -> None:
        self._folder = Path(folder).expanduser()
        self._storage = storage
        self._store = Store(storage, self._folder)
        self._stores: dict[str | None, Store] = {storage: self._store}
        self._answerers = Answerers(self._folder)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="raylm-store")
        self._turns = [asyncio.Lock() for _ in range(_TURNS)]

    def is_question(self, name: str) -> bool:
        """Whether a screen may ask this."""
        return name in self._store.reads or name in self._store.commands

    def may_be_link(self, name: str) -> bool:
        """Whether this may be asked by GET: it changes nothing and runs nobody's code."""
        return name in self._store.reads and name in self._store.light | WITHOUT_RECIPE

    async def answer(self, method: str, args: dict[str, Any], wanted: str = "") -> bytes:
        """Return what the store answers, as JSON. Commands about one run wait for each other.

        `wanted` is the storage to look in, one of those that the server may show; by default all of them.
        """
        in_thread = asyncio.get_running_loop().run_in_executor
        try:
            storage = await in_thread(self._threads, chosen, wanted, self._storage)
        except BadInput as error:
            return encode(refusal(error.problems[0].message, error.problems[0].mend))
        if method in self._store.light:
            return await in_thread(self._threads, self._here, method, args, storage)
        if method in self._store.reads:
            return await self._answerers.answer(method, args, storage)
        async with self._turns[hash(str(args.get("run_id"))) % _TURNS]:
            return await self._answerers.answer(method, args, storage)

    def close(self) -> None:
        """Take no more questions; those being answered come to their end."""
        self._answerers.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _here(self, method: str, args: dict[str, Any], storage: str | None) -> bytes:
        if storage not in self._stores:  # as many as are listed, at most
            self._stores[storage] = Store(storage, self._folder)
        return encode(self._stores[storage].answer(method, args))
