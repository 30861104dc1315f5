"""Conversations out of trees of messages in which every answer was ranked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_ROLES = {"prompter": "user", "assistant": "assistant"}


def conversations(tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the best conversations of a tree: of each question its best answer, then all that is asked on.

    A conversation ends with an answer; one that only begins another is not given beside it.
    """
    for path in _paths(tree["prompt"], ()):
        messages = [{"role": _ROLES[message["role"]], "content": message["text"]} for message in path]
        if messages and all(message["lang"] == "en" for message in path):
            yield {"tree_id": tree["message_tree_id"], "messages": messages}


def _paths(message: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    path = (*before, message)
    is_question = message["role"] == "prompter"
    replies = sorted(message["replies"], key=_rank)[:1] if is_question else message["replies"]
    ways = [way for reply in replies for way in _paths(reply, path)]
    longer = [way for way in ways if len(way) > len(path)]  # questions without an answer lead nowhere
    return longer or [path[:-1] if is_question else path]


def _rank(message: Mapping[str, Any]) -> int:
    rank = message.get("rank")
    return 1000 if rank is None else rank
