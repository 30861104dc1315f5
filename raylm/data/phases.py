"""The recipe's filters in phases: some that judge single documents, then one that must know all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from raylm.config.errors import BadInput, Problem
from raylm.config.near import did_you_mean
from raylm.data.filters import CorpusFilter, DocumentFilter, Filter
from raylm.data.section import DataSection
from raylm.data.workspace import key_of

Step: TypeAlias = "tuple[int, DocumentFilter]"


class Phase(NamedTuple):
    """Filters of one pass over the blocks; numbers are the filters' places in the recipe."""

    steps: tuple[Step, ...]
    corpus: tuple[int, CorpusFilter] | None
    """The filter that ends the phase: it sees what the steps leave, and drops before the next phase."""


def phases(filters: Sequence[Filter]) -> list[Phase]:
    """Return the passes that the filters need, in order; none without filters."""
    found: list[Phase] = []
    steps: list[Step] = []
    for number, each in enumerate(filters):
        if isinstance(each, CorpusFilter):
            found.append(Phase(tuple(steps), (number, each)))
            steps = []
        else:
            assert isinstance(each, DocumentFilter), f"{type(each).__name__} judges neither way"
            steps.append((number, each))
    # What a corpus filter drops is taken out in the pass after it.
    if steps or (found and found[-1].corpus):
        found.append(Phase(tuple(steps), None))
    return found


def applies(rule: Filter, source_name: str) -> bool:
    """Whether a filter is for a source."""
    return not rule.only or source_name in rule.only


def filter_problems(data: DataSection) -> list[Problem]:
    """Return what is wrong with the filters before anything is read."""
    names = data.source_names()
    problems = []
    for number, each in enumerate(data.filters):
        place = f"data.filters.{number}"
        for name in each.only:
            if name not in names and data.sources:
                message = f"no source is named {name!r}; sources are {', '.join(names)}"
                problems.append(Problem(f"{place}.only", message, did_you_mean(name, names), code="source"))
        exempt = [f"data.sources.{i}." for i, name in enumerate(names) if not applies(each, name)]
        found = (_placed(problem, place) for problem in each.problems(data.sources))
        problems += [problem for problem in found if not problem.field.startswith(tuple(exempt))]
    return problems


def refuse_bad_filters(data: DataSection) -> None:
    """Check the filters before anything is read.

    Raises:
        BadInput: holds everything that is wrong with them.
    """
    if problems := filter_problems(data):
        raise BadInput(*problems)


def _placed(problem: Problem, place: str) -> Problem:
    is_whole = problem.field.startswith("data.")
    return problem if is_whole else replace(problem, field=f"{place}.{problem.field}")


def settings_key(filters: Iterable[Filter]) -> str:
    """Return a digest of what decides these filters' verdicts; where in the recipe they stand does not."""
    return key_of([each.settings() for each in filters])
