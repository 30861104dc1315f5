"""A block: a few megabytes of documents of one source, the unit of work of a preparation."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from raylm.data.tally import Size

BLOCK_BYTES = 1 << 22  # seconds of tokenizing: short beside a preparation, long beside a file's round trip


class Block(NamedTuple):
    """The documents of a block in order."""

    texts: Sequence[str]
    origins: Sequence[str]
    """Where each document stands, `file:line`."""

    def to_bytes(self) -> bytes:
        """Return the block as an Arrow stream, compressed."""
        import pyarrow as pa

        columns = [pa.array(values, pa.large_string()) for values in (self.texts, self.origins)]
        batch = pa.record_batch(columns, names=["text", "origin"])
        out = io.BytesIO()
        with pa.ipc.new_stream(out, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as file:
            file.write_batch(batch)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        import pyarrow as pa

        with pa.ipc.open_stream(data) as file:
            table = file.read_all()
        return cls(table["text"].to_pylist(), table["origin"].to_pylist())


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
