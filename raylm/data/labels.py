"""The labels of a task: those of the training rows, as validation rows must not shape the model."""

from __future__ import annotations

import json
from collections.abc import Iterator

from raylm.data.blocks import Block
from raylm.data.row_task import Record, RowTask
from raylm.data.texts import Text
from raylm.data.workspace import Workspace


def learn_labels(task: RowTask, text: Text, workspace: Workspace) -> tuple[str, ...]:
    """Return the names of a task's labels in the order of their ids; nothing where it has none to learn.

    Raises:
        BadInput: the training rows have one label only, or labels that the task cannot have.
    """
    if not task.has_labels:  # the records of a large corpus are not read for nothing
        return ()
    names = {name for record in training_records(text, workspace) for name in task.label_names(record)}
    return task.label_set(names)


def training_records(text: Text, workspace: Workspace) -> Iterator[Record]:
    """Yield the records of the training split."""
    for block, rule in zip(text.blocks, text.rules, strict=True):
        for document in Block.from_bytes(workspace.read(block.step, block.name)).documents():
            if rule.side(document) == "train":
                yield json.loads(document.record)
