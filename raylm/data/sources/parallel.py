"""Files of text that are aligned line by line, such as a text and its translation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal

from pydantic import field_validator

from raylm.config.errors import BadInput
from raylm.data.file_source import TextFileSource
from raylm.data.files import file_digest, file_stamp, find_files
from raylm.data.records import RowText
from raylm.data.row_source import Row, RowSource, check_columns
from raylm.data.sources import BadRow, Input, Source


class Parallel(RowSource, TextFileSource, Source):
    """Line n of one file belongs to line n of the others, plain or packed.

    A row's fields are `source` and `target`, or `targets`, a list, where there are several files of them.
    """

    kind: Literal["parallel"] = "parallel"
    target_path: str | tuple[str, ...]
    """The files with the targets, in the order of those of path; several times as many where each source has
    several targets."""

    @field_validator("target_path")
    @classmethod
    def _has_targets(cls, path: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return cls._not_empty(path)

    def inputs(self) -> tuple[Input, ...]:
        sources = super().inputs()
        targets = self._targets(sources)
        return tuple(
            Input(item.name, item.num_bytes + sum(target.num_bytes for target in targets[item.name]))
            for item in sources
        )

    def digest(self, item: Input, progress: Callable[[int], None]) -> str:
        digests = [file_digest(name, progress) for name in self._aligned(item)]
        return hashlib.sha256(" ".join(digests).encode()).hexdigest()

    def stamp(self, item: Input) -> str:
        return " ".join(map(file_stamp, self._aligned(item)))

    def settings(self) -> dict[str, Any]:
        given = super().settings()
        del given["target_path"]  # where they lie
        return given

    def rows(self, item: Input, maker: RowText) -> Iterator[Row | BadRow]:
        names = self._aligned(item)
        check_columns(maker, ("source", "target" if len(names) == 2 else "targets"), item.name)  # noqa: PLR2004
        files = [self.lines(name) for name in names]
        for number, lines in enumerate(zip_longest(*files), start=1):
            if None in lines:
                raise _unequal(names, number, lines, files)
            row = _row_of(lines, names, number)
            if row is not None:
                yield row

    def _aligned(self, item: Input) -> list[str]:
        """Return the name of an input's own file, then those of its targets."""
        targets = self._targets(find_files(self.patterns))[item.name]
        return [item.name, *(target.name for target in targets)]

    def _targets(self, sources: Sequence[Input]) -> Mapping[str, Sequence[Input]]:
        """Return the files of targets by the name of the source's.

        Raises:
            BadInput: they cannot be dealt out.
        """
        patterns = (self.target_path,) if isinstance(self.target_path, str) else self.target_path
        try:
            targets = find_files(patterns)
        except BadInput as error:
            (problem,) = error.problems
            raise BadInput.one("target_path", problem.message, problem.mend, code=problem.code) from None
        if len(targets) % len(sources):
            message = f"{len(targets)} files for {len(sources)} of path"
            mend = "name as many, in the same order, or so many for each target"
            raise BadInput.one("target_path", message, mend, code="files")
        return {item.name: targets[n :: len(sources)] for n, item in enumerate(sources)}


def _row_of(lines: Sequence[str | BadRow], names: Sequence[str], number: int) -> Row | BadRow | None:
    """Return the row of aligned lines, None where all are blank."""
    bad = next((line for line in lines if isinstance(line, BadRow)), None)
    if bad is not None:
        return bad
    texts = [line for line in lines if isinstance(line, str)]
    blank = [name for name, text in zip(names, texts, strict=True) if not text.strip()]
    origin = f"{names[0]}:{number}"
    if blank and len(blank) < len(names):
        field = "path" if blank[0] == names[0] else "target_path"
        message = f"line {number} of {blank[0]} is blank, of the other file it is not"
        return BadRow(origin, field, message, "write it, or leave both blank", "blank")
    source, *targets = texts
    answer = {"target": targets[0]} if len(targets) == 1 else {"targets": targets}
    return None if blank else Row(origin, {"source": source, **answer})


def _unequal(
    names: Sequence[str], number: int, lines: Sequence[object], files: Sequence[Iterator[object]]
) -> BadInput:
    """Return the error for files of which one ends before the line `number`."""
    counts = [
        number - 1 if line is None else number + sum(1 for _ in rest)
        for line, rest in zip(lines, files, strict=True)
    ]
    other = next(n for n, count in enumerate(counts) if count != counts[0])
    message = f"{names[0]} has {counts[0]:,} lines, {names[other]} has {counts[other]:,}"
    mend = "line n of one must belong to line n of the other"
    return BadInput.one("target_path", message, mend, code="lines")
