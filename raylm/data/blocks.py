"""A block: a few megabytes of documents of one source, the unit of work of a preparation."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, NamedTuple, Self

from raylm.data.documents import Document
from raylm.data.tally import Size

BLOCK_BYTES = 1 << 22  # seconds of tokenizing: short beside a preparation, long beside a file's round trip


class Block(NamedTuple):
    """The documents of a block in order."""

    texts: Sequence[str]
    origins: Sequence[str]
    """Where each document stands, `file:line`."""
    records: Sequence[str] = ()
    """Of a task's rows, each document's record; else none."""
    drawn_by: Sequence[str] = ()
    """Of a task's rows, what draws each document's split, where that is not its text."""

    def to_bytes(self) -> bytes:
        """Return the block as an Arrow stream, compressed."""
        import pyarrow as pa

        of_task = {"record": self.records, "drawn_by": self.drawn_by}
        named = {"text": self.texts, "origin": self.origins} | {k: v for k, v in of_task.items() if v}
        columns = [pa.array(values, pa.large_string()) for values in named.values()]
        batch = pa.record_batch(columns, names=list(named))
        out = io.BytesIO()
        with pa.ipc.new_stream(out, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as file:
            file.write_batch(batch)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        import pyarrow as pa

        with pa.ipc.open_stream(data) as file:
            table = file.read_all()
        return cls(*(column.to_pylist() for column in table.columns))

    def documents(self) -> Iterator[Document]:
        """Yield the documents in order."""
        of_task = (each or repeat("") for each in (self.records, self.drawn_by))
        yield from map(Document, self.texts, self.origins, *of_task)

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Self:
        """Return a block of these documents."""
        records = [each.record for each in documents] if documents and documents[0].record else ()
        drawn_by = [each.drawn_by for each in documents] if documents and documents[0].drawn_by else ()
        return cls([each.text for each in documents], [each.origin for each in documents], records, drawn_by)


@dataclass(frozen=True)
class BlockRef:
    """Where a block's documents lie in the workspace, and what it holds."""

    step: str
    key: str
    source: int
    """The source's number in the recipe."""
    size: Size = field(compare=False)

    def to_json(self) -> dict[str, Any]:
        return {"step": self.step, "key": self.key, "size": self.size.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any], source: int) -> Self:
        return cls(values["step"], values["key"], source, Size.from_json(values["size"]))

    @property
    def name(self) -> str:
        """Name of the file within its step."""
        return f"{self.key}.arrow"
