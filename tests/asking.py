"""Questions to a store as a screen asks them: through JSON both ways."""

import json
from typing import Any

from raylm.api.store import Store


def ask(store: Store, method: str, **args: Any) -> dict[str, Any]:
    """Return the answer: a result or an error."""
    return json.loads(json.dumps(store.answer(method, json.loads(json.dumps(args))), allow_nan=False))


def result(store: Store, method: str, **args: Any) -> Any:
    """Return the result of a question that is not refused."""
    answer = ask(store, method, **args)
    assert "error" not in answer, answer
    return answer["result"]
