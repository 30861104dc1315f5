"""Writing a dataset's files: columns streamed to any filesystem and hashed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType, TracebackType

import numpy as np
from numpy.typing import NDArray

from raylm.data.encoded_split import Ragged
from raylm.data.index import SplitIndex, StoredFile
from raylm.data.shards import OFFSET_DTYPE, SOURCE_DTYPE
from raylm.runs.folder import Folder
from raylm.runs.shards import ShardWriter, open_shard_writer

FILE_ITEMS = 1 << 26  # 128 MiB of uint16: small enough to copy again after a fault, large enough to be few
_NOTHING: Mapping[str, Ragged] = MappingProxyType({})
_PENDING_ITEMS = 1 << 16  # many short documents are written at once


class ColumnWriter:
    """One column, cut into files of at most `file_items` values."""

    def __init__(self, folder: Folder, name: str, dtype: np.dtype, file_items: int = FILE_ITEMS) -> None:
        self.length = 0
        self._folder = folder
        self._name = name
        self._dtype = dtype
        self._file_items = file_items
        self._shards: list[ShardWriter] = []
        self._room = 0  # items that the last file still takes
        self._pending: list[NDArray[np.generic]] = []
        self._num_pending = 0

    def append(self, values: NDArray[np.generic]) -> None:
        """Write the values after those written before."""
        self._pending.append(values)
        self._num_pending += len(values)
        self.length += len(values)
        if self._num_pending >= _PENDING_ITEMS:
            self._flush()

    def close(self) -> tuple[StoredFile, ...]:
        """Make the files durable and return them in order."""
        self._flush()
        if self._shards:
            self._shards[-1].close()
        entries = [shard.entry for shard in self._shards]
        return tuple(StoredFile(name=entry.name, bytes=entry.bytes, sha256=entry.sha256) for entry in entries)

    def abort(self) -> None:
        """Let go of a file that is not whole."""
        if self._shards:
            self._shards[-1].abort()

    def _flush(self) -> None:
        if not self._num_pending:
            return
        values = np.concatenate(self._pending).astype(self._dtype, copy=False)
        self._pending, self._num_pending = [], 0
        while len(values):
            if not self._room:
                self._next_file()
            self._shards[-1].write(values[: self._room].data)
            self._room, values = max(0, self._room - len(values)), values[self._room :]

    def _next_file(self) -> None:
        if self._shards:
            self._shards[-1].close()
        self._shards.append(open_shard_writer(self._folder, f"{self._name}-{len(self._shards):05d}.bin"))
        self._room = self._file_items


class SplitWriter:
    """The columns of a split: tokens, the offsets of documents and sentences, and each document's source."""

    def __init__(self, folder: Folder, name: str, dtype: np.dtype) -> None:
        self._tokens = ColumnWriter(folder, f"{name}/tokens", dtype)
        self._documents = ColumnWriter(folder, f"{name}/documents", OFFSET_DTYPE)
        self._sentences = ColumnWriter(folder, f"{name}/sentences", OFFSET_DTYPE)
        self._sources = ColumnWriter(folder, f"{name}/sources", SOURCE_DTYPE)
        self._more: dict[str, tuple[ColumnWriter, ColumnWriter]] = {}
        self._folder = folder
        self._name = name
        self._num_bytes = 0
        self._documents.append(np.array([0]))
        self._sentences.append(np.array([0]))

    def __enter__(self) -> SplitWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for column in self._columns().values():
                column.abort()

    def add(
        self,
        tokens: NDArray[np.integer],
        lengths: NDArray[np.int64],
        source: int,
        num_bytes: int,
        sentences: NDArray[np.int64] | None = None,
        more: Mapping[str, Ragged] = _NOTHING,
    ) -> None:
        """Write whole documents of one source.

        Args:
            tokens: of all of them, on end.
            lengths: tokens of each document.
            source: number of the source.
            num_bytes: UTF-8 bytes of their text.
            sentences: tokens of each sentence, none of them empty; by default a document is one sentence.
            more: further columns of a task's rows, each with offsets of its own.
        """
        offset = self._tokens.length
        self._tokens.append(tokens)
        self._documents.append(offset + np.cumsum(lengths))
        self._sentences.append(offset + np.cumsum(lengths[lengths > 0] if sentences is None else sentences))
        self._sources.append(np.full(len(lengths), source))
        self._num_bytes += num_bytes
        for name, ragged in more.items():
            values, offsets = self._more_columns(name, ragged.values.dtype)
            offsets.append(values.length + np.cumsum(ragged.lengths))
            values.append(ragged.values)

    def _more_columns(self, name: str, dtype: np.dtype) -> tuple[ColumnWriter, ColumnWriter]:
        if name not in self._more:
            offsets = ColumnWriter(self._folder, f"{self._name}/{name}_offsets", OFFSET_DTYPE)
            offsets.append(np.array([0]))
            self._more[name] = (ColumnWriter(self._folder, f"{self._name}/{name}", dtype), offsets)
        return self._more[name]

    def close(self) -> SplitIndex:
        """Make everything durable."""
        return SplitIndex(
            num_tokens=self._tokens.length,
            num_documents=self._documents.length - 1,
            num_sentences=self._sentences.length - 1,
            num_bytes=self._num_bytes,
            columns={name: column.close() for name, column in self._columns().items()},
        )

    def _columns(self) -> dict[str, ColumnWriter]:
        return {
            "tokens": self._tokens,
            "documents": self._documents,
            "sentences": self._sentences,
            "sources": self._sources,
            **{name: values for name, (values, _) in self._more.items()},
            **{f"{name}_offsets": offsets for name, (_, offsets) in self._more.items()},
        }


def write_file(folder: Folder, name: str, data: bytes) -> StoredFile:
    """Put a small file and return what the index says of it."""
    folder.write(name, data)
    return StoredFile(name=name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
