"""Where a dataset lies: it appears whole, or replaces an older one whole."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import NamedTuple, Self

from raylm.config.errors import BadInput
from raylm.config.outputs import writing
from raylm.data.index import NAME, Index, missing_file
from raylm.runs.folder import Folder
from raylm.runs.owner import is_dead, this_process

_DRAFT = ".preparing-"
_OWNER = "owner.json"
# What a preparation that was cut off leaves where nothing can be put in place in one step.
_FOLDERS = {"train", "validation", "test", "tokenizer"}
_FILES = {"ledger.json", "report.json", "report.html", "decisions.jsonl.gz"}


class Place(NamedTuple):
    """A dataset's folder, there or to be made, and the folder around it."""

    parent: Folder
    name: str
    field: str = "storage"
    """What the person wrote to have it there."""

    @classmethod
    def at(cls, path: str) -> Self:
        """Return the place that a path or URI names."""
        parent, _, name = Folder.open(path).uri.rpartition("/")
        return cls(Folder.open(parent or "/"), name, "data.path")

    @property
    def folder(self) -> Folder:
        return self.parent / self.name

    def finished(self, plan: str | None = None) -> Index | None:
        """Return the index of a whole dataset, made by this plan if one is given; else None."""
        try:
            index = Index.read(self.folder)
        except BadInput:
            return None
        is_whole = plan in (None, index.plan) and missing_file(self.folder, index) is None
        return index if is_whole else None

    def refuse_other_files(self) -> None:
        """Check that nothing but a dataset is replaced.

        Raises:
            BadInput: the folder holds something else, or is none.
        """
        with writing(self.field, self.folder.uri):
            names = {*self.folder.names()}
        if not self.parent.is_local:
            names -= _FOLDERS | _FILES
        if names and not self.folder.exists(NAME):
            message = f"{self.folder.uri} is not empty and holds no dataset"
            raise BadInput.one(
                "data.path", message, "name another folder, or empty this one", code="other-files"
            )

    def write(self, write: Callable[[Folder], Index], plan: str) -> Index:
        """Have a dataset written, and put it in place.

        Raises:
            BadInput: nothing can be written there.
        """
        if not self.parent.is_local:
            # The same plan gives the same bytes, so that several writers do each other no harm.
            return write(self.folder)
        _sweep(self.parent)
        return self._write_aside(write, plan)

    def _write_aside(self, write: Callable[[Folder], Index], plan: str) -> Index:
        """Write into a hidden folder and rename it, so that the dataset appears whole."""
        draft = f"{_DRAFT}{uuid.uuid4().hex[:12]}"
        with writing(self.field, self.folder.uri):
            (self.parent / draft).write(_OWNER, json.dumps(this_process()).encode())
        try:
            index = write(self.parent / draft)
            (self.parent / draft).remove(_OWNER)
            if not self.finished(plan):
                self.folder.remove_tree()
                self.parent.rename(draft, self.name)
        except OSError:
            if not self.finished(plan):  # or else another process has just put the same dataset there
                raise
            index = Index.read(self.folder)
        finally:
            (self.parent / draft).remove_tree()
        return index


def _sweep(parent: Folder) -> None:
    """Remove what preparations left that were killed on this machine."""
    for name in parent.names(hidden=True):
        if not name.startswith(_DRAFT):
            continue
        try:
            owner = json.loads((parent / name).read(_OWNER))
        except (OSError, ValueError):
            continue  # it is just being made, or just being put in place
        if is_dead(owner):
            (parent / name).remove_tree()
