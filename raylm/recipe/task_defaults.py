"""What a recipe with a task leaves open: the objective, and how rows are split and packed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raylm.config import TrainSection
from raylm.models import ModelFamily
from raylm.objectives import Objective
from raylm.tasks import Task

# Rows are drawn one by one, and do not see each other where several are packed into one.
_SPLIT = {"split_by": "document", "long_documents": "truncate"}
_PACKED = {"packing": "best_fit", "attend_across_documents": False}
_ALONE = {"packing": "document"}


def with_usual(values: Mapping[str, Any], family: type[ModelFamily]) -> dict[str, Any]:
    """Return a recipe's values with what is usual for its task where they say nothing of it."""
    task = values.get("task")
    kind = Task.kinds.get(str(task.get("kind"))) if isinstance(task, dict) else None
    if kind is None:
        return dict(values)
    assert issubclass(kind, Task)
    assert isinstance(task, dict)
    objective = values.get("objective") or _objective(kind.usual_objectives(task), family, values)
    is_packed = isinstance(objective, dict) and _keeps_apart(objective.get("kind"))
    usual = {
        "data": {**_SPLIT, **(_PACKED if is_packed else _ALONE)},
        "task": dict.fromkeys(kind.follow_sequence_length, _sequence_length(values)),
    }
    filled = {
        name: {**section, **values[name]}
        for name, section in usual.items()
        if isinstance(values.get(name), dict)
    }
    return {**values, **filled, "objective": objective}


def _objective(
    usual: tuple[str, ...], family: type[ModelFamily], values: Mapping[str, Any]
) -> dict[str, str]:
    """Return the first objective that the model has a head for; else the first, which a rule refuses."""
    heads = family.usual_heads(values["model"])
    fitting = [name for name in usual if _class(name).head in heads]
    return {"kind": (fitting or list(usual))[0]}


def _class(kind: str) -> type[Objective]:
    found = Objective.kinds[kind]
    assert issubclass(found, Objective)
    return found


def _keeps_apart(kind: Any) -> bool:
    return kind in Objective.kinds and _class(kind).keeps_documents_apart


def _sequence_length(values: Mapping[str, Any]) -> Any:
    train = values.get("train")
    given = train.get("sequence_length") if isinstance(train, dict) else None
    return TrainSection.model_fields["sequence_length"].default if given is None else given
