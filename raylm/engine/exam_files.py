"""Records of other files than a run's own, for the evaluation of its task."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from pydantic import ValidationError

from raylm.config.errors import BadInput
from raylm.config.report import Origin, problems_of
from raylm.data.documents import Document, Input, is_blank
from raylm.data.files import find_files, source_kind, suffix_of
from raylm.data.reading import as_error, read_text
from raylm.data.sources import Source
from raylm.engine.exam import Exam, OwnData, objective_for, own_task
from raylm.evaluations import sampled
from raylm.recipe import Recipe
from raylm.runs.run import Run
from raylm.tasks import Task

_CONLL = (".conll", ".iob", ".iob2", ".bio")
_SQUAD = re.compile(r'\s*\{\s*("version"\s*:\s*"[^"]*"\s*,\s*)?"data"\s*:')
_HEAD = 1000  # characters


class Files(NamedTuple):
    """Files with rows of a task."""

    patterns: tuple[str, ...]
    """Names, patterns and addresses."""
    source: Mapping[str, Any]
    """Fields of the source that reads them; its kind is told by their names if it is not among these."""
    limit: int | None
    """The most rows."""


def file_exam(run: Run, recipe: Recipe, task: Task, files: Files) -> Exam:
    """Return the records of files.

    Raises:
        BadInput: a file cannot be read, or a row is not what the task needs; names the file and the line.
    """
    objective = objective_for(task, recipe)
    sources = _sources(files)
    inputs = [(source, item) for source in sources for item in source.inputs()]
    documents = [each for source, item in inputs for each in _documents(source, item, task)]
    if not documents:
        raise BadInput.one("path", f"no rows in {', '.join(files.patterns)}", code="empty")
    chosen = sampled(documents, files.limit)
    own, notes = _own(run, recipe, task)
    return Exam(
        task=task,
        objective=objective,
        records=[json.loads(each.record) for each in chosen],
        places=[each.origin for each in chosen],
        settings={**task.settings(), "sources": [each.settings() for each in sources], "limit": files.limit},
        data={item.name: source.digest(item, _ignore) for source, item in inputs},
        own=own,
        is_own=False,
        notes=notes,
    )


def kind_of(name: str) -> str:
    """Return the kind of source that reads the rows of a file: by its name, of JSON by how it begins."""
    suffix = suffix_of(name)
    if suffix in _CONLL:
        return "conll"
    return "squad" if suffix == ".json" and _SQUAD.match(_head(name)) else source_kind(name)


def _head(name: str) -> str:
    return next(iter(read_text(name, "utf-8", "replace")), "")[:_HEAD]


def _sources(files: Files) -> list[Source]:
    """Return the sources of files: one for each kind of file, or the one that is asked for."""
    if "kind" in files.source:
        return [_checked({"path": files.patterns, **files.source})]
    names: dict[str, list[str]] = {}
    for item in find_files(files.patterns):
        names.setdefault(kind_of(item.name), []).append(item.name)
    return [_checked({"kind": kind, "path": tuple(each), **files.source}) for kind, each in names.items()]


def _checked(values: Mapping[str, Any]) -> Source:
    # A line of a text file is a row, where a corpus of text has documents in it.
    lines = {"by": "line"} if values["kind"] == "text" else {}
    try:
        return Source.model_validate({**lines, **values})
    except ValidationError as error:
        found = problems_of(error, Source, Origin(values, {}))
        raise BadInput(*(replace(each, field=f"source.{each.field}") for each in found)) from None


def _documents(source: Source, item: Input, task: Task) -> Iterator[Document]:
    """Yield the records of a file; bad rows are an error unless the source is told to skip them."""
    for row in source.records(item, task):
        if isinstance(row, Document):
            if row.record and not is_blank(row.text):
                yield row
        elif source.on_bad_row == "fail":
            raise as_error(row)


def _own(run: Run, recipe: Recipe, task: Task) -> tuple[OwnData | None, tuple[str, ...]]:
    """Return the run's own data if it holds rows of the task; else why there is nothing to compare with."""
    if own_task(recipe, task) is None:
        return None, ("the run has no rows of this task to learn baselines from, so there are none",)
    try:
        return OwnData.of(run, recipe), ()
    except BadInput as error:
        return None, (f"there are no baselines, as the run's training rows are not at hand: {error}",)


def _ignore(_num_bytes: int) -> None:
    """Digests of small files need no progress."""
