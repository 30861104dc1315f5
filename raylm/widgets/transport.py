"""The kernel side of the screens' transport: requests come as widget messages, answers go back by id."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anywidget

from raylm.api.store import Store
from raylm.api.wire import unsayable

_HALF = re.compile("[\ud800-\udfff]")
WORKERS = 8  # a launch that starts a cluster must not hold up the curve


class StoreWidget(anywidget.AnyWidget):
    """An anywidget whose view asks {id, method, args} and gets {id, result} or {id, error}.

    Each request is answered in a thread of its own, so that no callback blocks the kernel; nothing but these
    small values crosses, never HTML.
    """

    def __init__(self, store: Store | None = None, **traits: Any) -> None:
        super().__init__(**traits)
        self.store = store or Store()
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="raylm-store")
        self.on_msg(self._receive)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        super().close()

    def _receive(self, _widget: Any, message: Any, _buffers: Any) -> None:
        if isinstance(message, dict) and {"id", "method"} <= set(message):
            self._threads.submit(self._reply, message)

    def _reply(self, message: dict[str, Any]) -> None:
        args = message.get("args")
        answer = self.store.answer(str(message["method"]), args if isinstance(args, dict) else {})
        self.send({"id": message["id"], **_as_utf8(answer)})


def _as_utf8(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer that a message can hold: half a character, which UTF-8 lacks, becomes U+FFFD.

    What no message can hold is told, else the screen would wait for ever.
    """
    try:
        text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        return unsayable(error)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(_HALF.sub("\N{REPLACEMENT CHARACTER}", text))
    return answer
