"""Making a document of a row with a task: its record as canonical JSON, and the text that a person reads."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from raylm.data.documents import Document
from raylm.data.records import NoTextError, look_up, plain_type, types_text
from raylm.data.row_task import Record, RowTask

_PLAIN = (str, bool, int, float)


class RecordText:
    """The record that a task makes of a row; keeps in mind which types each field had."""

    setting = "path"  # what is wrong with a row of a task is a matter of the file

    def __init__(self, task: RowTask) -> None:
        self._task = task
        self.names = tuple(task.field_names())
        self._types: dict[str, Counter[str]] = {name: Counter() for name in self.names}

    def document(self, row: Mapping[str, Any], origin: str) -> Document:
        """Return the texts of a row's record a line each, with the record: the same JSON for the same record.

        Raises:
            NoTextError: the task refuses the row, or a field is text here and a number in the rows before.
        """
        changed = [error for name in self.names if (error := self._changed(name, row)) is not None]
        record = self._task.record(row)
        if changed:
            raise changed[0]
        whole = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return Document("\n".join(self._task.texts(record)), origin, whole, self._drawn_by(record))

    def _drawn_by(self, record: Record) -> str:
        shared = [record[name] for name in self._task.split_fields]
        if not shared:
            return ""
        return hashlib.blake2b(json.dumps(shared).encode(), digest_size=16).hexdigest()

    def _changed(self, name: str, row: Mapping[str, Any]) -> NoTextError | None:
        """Count the type of a field; return the error if the rows before had another."""
        value = _value(name, row)
        if not isinstance(value, _PLAIN):
            return None  # what a list, an object or nothing means is for the task to say
        found, types = plain_type(value), self._types[name]
        before = next(iter(types), found)
        types[found] += 1
        if found == before:
            return None
        return NoTextError(f"{name}: {found}, {before} in the rows before", code="types", name=name)

    def types_of(self, name: str) -> str:
        """Return which types a field had, for a person; empty when that says nothing more."""
        return types_text(name, self._types.get(name, {}))


def _value(name: str, row: Mapping[str, Any]) -> Any:
    if name in row:
        return row[name]
    try:
        return look_up(row, name, was_seen=True)
    except NoTextError:
        return None
