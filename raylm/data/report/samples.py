"""A few decisions of each kind, spread over all of them, whatever their number."""

from __future__ import annotations

import heapq
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from raylm.data.tally import Decision

SAMPLES = 8  # of each filter, action and reason: as many as a person reads

_Group: TypeAlias = tuple[int, str, str]


class Samples:
    """Keeps the decisions with the smallest checksums: the same ones for any number of workers."""

    def __init__(self, num_samples: int = SAMPLES) -> None:
        self._num_samples = num_samples
        self._groups: dict[_Group, list[tuple[int, int, Decision]]] = defaultdict(list)
        self._count = 0

    def add(self, decision: Decision) -> None:
        """Take a decision into account."""
        group = self._groups[decision.filter, decision.action, decision.reason]
        # Where the files lie on this machine must not choose, so that the origin is no part of it.
        checksum = zlib.crc32(f"{decision.source} {decision.excerpt}".encode())
        if any(known == -checksum for known, *_ in group):
            return  # a person has seen this text already
        # The heap's first is thrown out first: the largest checksum. The count keeps decisions uncompared.
        entry = (-checksum, -self._count, decision)
        self._count += 1
        if len(group) < self._num_samples:
            heapq.heappush(group, entry)
        elif entry > group[0]:
            heapq.heapreplace(group, entry)

    def watch(self, decisions: Iterable[Decision]) -> Iterator[Decision]:
        """Yield the decisions as they come, each taken into account."""
        for decision in decisions:
            self.add(decision)
            yield decision

    def of(self, number: int) -> list[Decision]:
        """Return the samples of a filter, reason by reason, in the order in which they came."""
        groups = sorted(key for key in self._groups if key[0] == number)
        return [
            decision
            for key in groups
            for _, _, decision in sorted(self._groups[key], key=lambda entry: -entry[1])
        ]
