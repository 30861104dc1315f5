"""One pass of filters over one block: verdicts applied, counted and written down."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.data.blocks import Block, BlockRef
from raylm.data.documents import Document, is_blank
from raylm.data.filters import CorpusFilter, DocumentFilter, Judge, Verdict
from raylm.data.index import FORMAT
from raylm.data.sources import Source
from raylm.data.tally import Decision, Filtering, Size
from raylm.data.workspace import Workspace, key_of

STEP = "clean"
SKETCHES = "sketch"
_EXCERPT_CHARACTERS = 240


class Dropped(NamedTuple):
    """A document of the block that a filter of the whole corpus drops."""

    reason: str
    detail: str


class Cleaning(NamedTuple):
    """A block, what the last corpus filter drops of it, and the filters of this pass."""

    workspace: str
    block: BlockRef
    origin: Source
    corpus: int | None
    """Number of the corpus filter whose drops these are."""
    drops: Mapping[int, Dropped]
    """By the document's place in the block."""
    steps: tuple[tuple[int, DocumentFilter], ...]
    settings: str
    """Digest of the steps' settings."""

    @property
    def key(self) -> str:
        """Name of the result; where in the recipe the filters stand is no part of it."""
        drops = sorted((place, *drop) for place, drop in self.drops.items())
        corpus = None if self.corpus is None else drops  # one that drops nothing counts all the same
        return key_of("clean", FORMAT, self.block.key, corpus, self.settings)

    @property
    def numbers(self) -> list[int]:
        """The filters of the pass in order, by their numbers in the recipe."""
        return [*([] if self.corpus is None else [self.corpus]), *(number for number, _ in self.steps)]


class Cleaned(NamedTuple):
    """What a pass left of a block, and what each filter did in it."""

    block: BlockRef
    filtering: Mapping[int, Filtering]
    """By the filter's number in the recipe."""


class _Step(NamedTuple):
    number: int
    judge: Judge
    counts: Filtering


def clean(task: Cleaning) -> Cleaned:
    """Filter a block; the record of it is written last."""
    workspace = Workspace(task.workspace)
    decisions: list[Decision] = []
    numbers = [*([] if task.corpus is None else [task.corpus]), *(number for number, _ in task.steps)]
    filtering = {number: Filtering() for number in numbers}
    block = Block.from_bytes(workspace.read(task.block.step, task.block.name))
    kept = list(_kept(task, filtering, decisions, block))
    size = Size()
    for document in kept:
        size.count(document.text)
    ref = BlockRef(STEP, task.key, task.block.source, size)
    workspace.write(STEP, ref.name, Block.of(kept).to_bytes())
    workspace.write(STEP, _decisions_name(ref), _packed(decisions, task.numbers))
    workspace.write_json(STEP, ref.key, _record(ref, list(filtering.values())))
    return Cleaned(ref, filtering)


def cleaned_before(task: Cleaning, workspace: Workspace) -> Cleaned | None:
    """Return what `clean` wrote of the same task before; None if a part of it is gone."""
    record = workspace.read_json(STEP, task.key)
    counts = (Filtering.from_json(values) for values in record["filtering"])
    ref = BlockRef.from_json(record["block"], task.block.source)
    is_there = workspace.refresh(STEP, [f"{task.key}.json", ref.name, _decisions_name(ref)])
    return Cleaned(ref, dict(zip(task.numbers, counts, strict=True))) if is_there else None


def _kept(
    task: Cleaning, filtering: Mapping[int, Filtering], decisions: list[Decision], block: Block
) -> Iterator[Document]:
    steps = [_Step(number, each.judge(task.origin), filtering[number]) for number, each in task.steps]
    for place, document in enumerate(block.documents()):
        text, origin = document[:2]
        if task.corpus is not None:
            verdict = _of_corpus(text, task.drops.get(place))
            _note(verdict, text, task, (task.corpus, filtering[task.corpus]), origin, decisions)
            if verdict.text is None:
                continue
        left = _judged(document, steps, task, decisions)
        if left is not None:
            yield document._replace(text=left)


def _of_corpus(text: str, drop: Dropped | None) -> Verdict:
    return Verdict(text) if drop is None else Verdict(None, drop.reason, drop.detail)


def _judged(
    document: Document, steps: Iterable[_Step], task: Cleaning, decisions: list[Decision]
) -> str | None:
    """Return what the steps leave of a text."""
    text = document.text
    for step in steps:
        verdict = _whole(_not_blank(step.judge(text)), document)
        _note(verdict, text, task, (step.number, step.counts), document.origin, decisions)
        if verdict.text is None:
            return None
        text = verdict.text
    return text


def _not_blank(verdict: Verdict) -> Verdict:
    """Drop a document of which a filter leaves nothing."""
    is_emptied = verdict.text is not None and is_blank(verdict.text)
    return verdict._replace(text=None, reason="nothing_left") if is_emptied else verdict


def _whole(verdict: Verdict, document: Document) -> Verdict:
    """Drop a task's row of which a filter would change the text: its answer may stand on what is changed."""
    is_changed = document.record and verdict.text not in (None, document.text)
    return verdict._replace(text=None) if is_changed else verdict


def _note(
    verdict: Verdict,
    text: str,
    task: Cleaning,
    of: tuple[int, Filtering],
    origin: str,
    decisions: list[Decision],
) -> None:
    """Count a verdict; one that dropped or changed a document is written down."""
    number, counts = of
    num_bytes = len(text.encode())
    counts.documents += 1
    counts.bytes += num_bytes
    counts.found.update(verdict.found)
    if verdict.text is None:
        counts.dropped[verdict.reason] += 1
        counts.dropped_bytes += num_bytes
    elif verdict.text != text:
        counts.changed[verdict.reason] += 1
    else:
        return
    action = "dropped" if verdict.text is None else "changed"
    excerpt = (verdict.excerpt or text)[:_EXCERPT_CHARACTERS]
    decisions.append(
        Decision(task.block.source, number, action, verdict.reason, verdict.detail, excerpt, origin)
    )


def _record(ref: BlockRef, filtering: Sequence[Filtering]) -> dict[str, Any]:
    return {"block": ref.to_json(), "filtering": [counts.to_json() for counts in filtering]}


def _decisions_name(ref: BlockRef) -> str:
    return f"{ref.key}.decisions.gz"


def _packed(decisions: Sequence[Decision], numbers: Sequence[int]) -> bytes:
    """Return decisions with the filters' places within the pass: the recipe may move the pass."""
    rows = [[numbers.index(each.filter), *each[2:]] for each in decisions]
    return gzip.compress(json.dumps(rows, ensure_ascii=False).encode(), mtime=0)


def read_decisions(task: Cleaning, ref: BlockRef, workspace: Workspace) -> Iterator[Decision]:
    """Yield what a pass decided on a block's documents."""
    for row in json.loads(gzip.decompress(workspace.read(STEP, _decisions_name(ref)))):
        yield Decision(ref.source, task.numbers[row[0]], *row[1:])


class Sketching(NamedTuple):
    """A block to be sketched for a corpus filter."""

    workspace: str
    block: BlockRef
    rule: CorpusFilter
    settings: str
    """Digest of the filter's settings."""

    @property
    def key(self) -> str:
        return key_of("sketch", FORMAT, self.block.key, self.settings)


def sketch(task: Sketching) -> None:
    """Write a block's sketches as an array, (documents, k)."""
    workspace = Workspace(task.workspace)
    block = Block.from_bytes(workspace.read(task.block.step, task.block.name))
    out = io.BytesIO()
    np.save(out, task.rule.sketch(block.texts))
    workspace.write(SKETCHES, f"{task.key}.npy", out.getvalue())


def read_sketch(task: Sketching, workspace: Workspace) -> NDArray[np.generic]:
    """Return what `sketch` wrote."""
    return np.load(io.BytesIO(workspace.read(SKETCHES, f"{task.key}.npy")))
