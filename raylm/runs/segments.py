"""The names of the files that hold a run's curve."""

import re
from typing import NamedTuple

from raylm.runs.folder import Folder

_NAME = re.compile(r"metrics-a(\d+)-(\d{5,})\.jsonl")


class Segment(NamedTuple):
    """One file of step records; they sort in the order in which they were written."""

    attempt: int
    number: int

    @property
    def name(self) -> str:
        return f"metrics-a{self.attempt}-{self.number:05d}.jsonl"

    def next(self) -> "Segment":
        return self._replace(number=self.number + 1)


def segments(folder: Folder) -> list[Segment]:
    """Return a run's segments, oldest attempt first."""
    found = (_NAME.fullmatch(name) for name in folder.names())
    return sorted(Segment(int(match[1]), int(match[2])) for match in found if match)
