"""All passes of the filters over all blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from raylm.data.blocks import BlockRef
from raylm.data.clean import (
    SKETCHES,
    STEP,
    Cleaned,
    Cleaning,
    Dropped,
    Sketching,
    clean,
    cleaned_before,
    read_decisions,
    sketch,
)
from raylm.data.decide import decide
from raylm.data.filters import CorpusFilter
from raylm.data.phases import Phase, applies, phases, settings_key
from raylm.data.section import DataSection
from raylm.data.tally import Decision, Filtering
from raylm.data.workspace import Workspace

Drops: TypeAlias = "Mapping[int, tuple[int, Mapping[int, Dropped]]]"
"""By a block's place: the number of the filter that drops, and the documents by their place in the block."""
Map = Callable[[str, Callable, Sequence], Iterator]
"""Runs a function over tasks under a stage's name; yields each task's number and result."""


class Pass(NamedTuple):
    """What one pass did to one block."""

    task: Cleaning
    result: Cleaned


class Filtered(NamedTuple):
    """What the filters left."""

    blocks: list[BlockRef]
    passes: list[Pass]

    def counts(self, num_sources: int, num_filters: int) -> list[list[Filtering]]:
        """Return what each filter did to each source, [source][filter]."""
        sums = [[Filtering() for _ in range(num_filters)] for _ in range(num_sources)]
        for task, result in self.passes:
            for number, counts in result.filtering.items():
                sums[task.block.source][number].add(counts)
        return sums

    def decisions(self, workspace: Workspace) -> Iterator[Decision]:
        """Yield every decision, pass by pass."""
        for task, result in self.passes:
            yield from read_decisions(task, result.block, workspace)


class FilterChain:
    """The recipe's filters over blocks; what was done before with the same input is not done again."""

    def __init__(self, data: DataSection, workspace: Workspace, run: Map) -> None:
        self._data = data
        self._names = data.source_names()
        self._workspace = workspace
        self._run = run

    def filter(self, blocks: Sequence[BlockRef]) -> Filtered:
        """Pass all blocks through all filters, in order."""
        filtered = Filtered(list(blocks), [])
        drops: Drops = {}
        for phase in phases(self._data.filters):
            tasks = self._tasks(filtered.blocks, phase, drops)
            for place, result in self._clean(tasks).items():
                filtered.passes.append(Pass(tasks[place], result))
                filtered.blocks[place] = result.block
            drops = {} if phase.corpus is None else self._decide(phase.corpus, filtered.blocks)
        assert not drops, "a corpus filter's drops were not taken out"
        return filtered

    def _tasks(self, blocks: Sequence[BlockRef], phase: Phase, drops: Drops) -> dict[int, Cleaning]:
        """Return the pass over each block for which it does something, by the block's place."""
        by_source = [tuple(step for step in phase.steps if applies(step[1], name)) for name in self._names]
        keys = [settings_key(each for _, each in steps) for steps in by_source]  # once: they may read files
        tasks = {}
        for place, block in enumerate(blocks):
            steps, settings = by_source[block.source], keys[block.source]
            corpus, dropped = drops.get(place, (None, {}))
            if steps or corpus is not None:
                source = self._data.sources[block.source]
                tasks[place] = Cleaning(self._workspace.uri, block, source, corpus, dropped, steps, settings)
        return tasks

    def _clean(self, tasks: Mapping[int, Cleaning]) -> dict[int, Cleaned]:
        """Return each task's result in order; only those that are not there yet are run."""
        there = self._workspace.keys(STEP, ".json")
        results = {
            place: before
            for place, task in tasks.items()
            if task.key in there and (before := cleaned_before(task, self._workspace))
        }
        todo = [place for place in tasks if place not in results]
        for number, result in self._run("filtering", clean, [tasks[place] for place in todo]):
            results[todo[number]] = result
        return dict(sorted(results.items()))

    def _decide(self, corpus: tuple[int, CorpusFilter], blocks: Sequence[BlockRef]) -> Drops:
        """Sketch the blocks that the filter is for, and decide on their documents."""
        number, rule = corpus
        places = [place for place, block in enumerate(blocks) if applies(rule, self._names[block.source])]
        chosen = [blocks[place] for place in places]
        settings = settings_key([rule])
        there = self._workspace.keys(SKETCHES, ".npy")
        tasks = [Sketching(self._workspace.uri, block, rule, settings) for block in chosen]
        todo = [task for task in tasks if task.key not in there or not self._is_kept(task)]
        for _ in self._run("comparing", sketch, todo):
            pass
        drops = decide(rule, chosen, settings, self._workspace)
        return {place: (number, dropped) for place, dropped in zip(places, drops, strict=True)}

    def _is_kept(self, task: Sketching) -> bool:
        return self._workspace.refresh(SKETCHES, [f"{task.key}.npy"])
