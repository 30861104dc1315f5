"""The files that hold a run's curve: their names, and the newest record in them."""

import re
from typing import Any, NamedTuple

from raylm.runs.folder import Folder
from raylm.runs.lines import parse_line

_NAME = re.compile(r"metrics-a(\d+)-(\d{5,})\.jsonl")
_TAIL = 16_384  # bytes in which the last line is looked for


class Segment(NamedTuple):
    """One file of step records; they sort in the order in which they were written."""

    attempt: int
    number: int

    @property
    def name(self) -> str:
        """Name of the file in the run directory."""
        return f"metrics-a{self.attempt}-{self.number:05d}.jsonl"

    def next(self) -> "Segment":
        """Return the segment that follows in the same attempt."""
        return self._replace(number=self.number + 1)


def segments(folder: Folder) -> list[Segment]:
    """Return a run's segments, oldest attempt first."""
    found = (_NAME.fullmatch(name) for name in folder.names())
    return sorted(Segment(int(match[1]), int(match[2])) for match in found if match)


def last_record(folder: Folder) -> dict[str, Any] | None:
    """Return the newest whole record of the run in `folder`; reads only the end of one file."""
    for segment in reversed(segments(folder)):
        size = folder.size(segment.name)
        lines = folder.read(segment.name, max(0, size - _TAIL), size).split(b"\n")[:-1]
        for line in reversed(lines):
            record = parse_line(line)
            if record is not None and isinstance(record.get("step"), int):
                return record
    return None
