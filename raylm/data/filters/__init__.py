"""What a filter is: it judges documents, in the order of the recipe; every other file here is one filter."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from raylm.config.choice import Choice
from raylm.config.errors import Problem
from raylm.config.sections import knob
from raylm.data.rules import Rule, first_broken
from raylm.data.sources import Source

_NOTHING: Mapping[str, int] = MappingProxyType({})


class Verdict(NamedTuple):
    """What a filter makes of one text."""

    text: str | None
    """The text from here on; None: the document is dropped."""
    reason: str = ""
    """Why it was dropped or changed, a key to count by such as "too_short"; "" when nothing happened."""
    detail: str = ""
    """The same for a person, with the numbers: "12 words, min_words is 50"."""
    excerpt: str = ""
    """The place that decided it; personal data masked. "": the report shows the start of the text."""
    found: Mapping[str, int] = _NOTHING
    """What was counted in the text, whatever became of it: {"email": 2}, {"en": 1}."""


Judge: TypeAlias = Callable[[str], Verdict]


class Filter(Choice):
    """What is kept out of the data, or mended in it."""

    only: tuple[str, ...] = knob((), advanced=True)
    """Names of the sources whose documents are filtered; none: all."""

    def problems(self, sources: Sequence[Source]) -> Iterable[Problem]:
        """Return what is wrong before anything is read; fields relative to the recipe or to this filter.

        A problem's field that begins with "data." is taken as it is; another is this filter's own.
        """
        del sources
        return ()

    def packages(self) -> Iterable[str]:
        """Return the packages whose tables or models decide: another version may judge otherwise."""
        return ()

    def settings(self) -> dict[str, Any]:
        """Return what decides the verdicts: the fields, digests of files read, versions of packages."""
        versions = {name: _version(name) for name in sorted(self.packages())}
        return self.model_dump(mode="json") | self.plugin() | ({"packages": versions} if versions else {})


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"  # the filter says so when it is used


class DocumentFilter(Filter):
    """A filter that judges each document by itself."""

    @abstractmethod
    def judge(self, source: Source) -> Judge:
        """Return a function that judges the texts of a source; what it needs is loaded once, here."""


class RuleFilter(DocumentFilter):
    """A filter that drops a document for the first of its rules that the text breaks."""

    @abstractmethod
    def rules(self, text: str) -> Iterable[Rule]:
        """Yield the rules one by one, each measured when it is asked for."""

    def judge(self, source: Source) -> Judge:
        del source
        return self._judge

    def _judge(self, text: str) -> Verdict:
        broken = first_broken(self.rules(text))
        if broken is None:
            return Verdict(text)
        return Verdict(None, broken.reason, broken.detail, broken.excerpt)


class Twin(NamedTuple):
    """Why a document is dropped for another one."""

    of: int
    """The number of the document that is kept."""
    reason: str
    detail: str = ""


class CorpusFilter(Filter):
    """A filter that must know all documents before it can drop one of them.

    Documents are numbered from 0 in the order of the sources. `decide` must depend on nothing but the
    sketches and the texts, so that any number of processes gives the same answer.
    """

    @abstractmethod
    def sketch(self, texts: Sequence[str]) -> NDArray[np.generic]:
        """Return one row for each text, (len(texts), k), small enough to be kept for a whole corpus."""

    @abstractmethod
    def decide(
        self, sketches: Sequence[NDArray[np.generic]], text: Callable[[int], str]
    ) -> Mapping[int, Twin]:
        """Return the documents to drop, given the sketches block by block, memory-mapped.

        Args:
            sketches: of every block in order; together one row a document.
            text: returns a document's text; asking in ascending order is fastest.
        """
