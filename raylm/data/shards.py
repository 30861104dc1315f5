"""Reading a prepared dataset: memory-mapped columns of token ids, never loaded whole."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from raylm.config.errors import BadInput
from raylm.data.index import Index, SplitIndex, missing_file
from raylm.runs.folder import Folder

# Little-endian on every machine, as the files are.
OFFSET_DTYPE = np.dtype("<i8")
SOURCE_DTYPE = np.dtype("<u2")


class Column:
    """The files of one column as one array, shape (length,)."""

    def __init__(self, paths: list[Path], dtype: np.dtype) -> None:
        # A plain view: slicing the memmap class itself costs several times as much.
        self._parts = [np.asarray(np.memmap(path, dtype, mode="r")) for path in paths]
        self._starts = np.cumsum([0, *(len(part) for part in self._parts)])
        self._dtype = dtype

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, start: int, stop: int) -> NDArray[np.generic]:
        """Return the values [start, stop): a read-only view, or a copy where they cross files."""
        assert 0 <= start <= stop <= len(self), f"[{start}, {stop}) is outside a column of {len(self)} values"
        if len(self._parts) == 1:
            return self._parts[0][start:stop]
        first = max(0, int(np.searchsorted(self._starts, start, side="right")) - 1)
        pieces = []
        for part, offset in zip(self._parts[first:], self._starts[first:], strict=False):
            if offset >= stop:
                break
            pieces.append(part[max(0, start - offset) : stop - offset])
        return pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, self._dtype), *pieces])


class Split:
    """The training or the validation part of a dataset."""

    def __init__(self, folder: Path, index: SplitIndex, dtype: np.dtype) -> None:
        self.num_tokens = index.num_tokens
        self.num_documents = index.num_documents
        self.num_bytes = index.num_bytes
        self._folder = folder
        self._index = index
        self._dtypes = {"tokens": dtype, "documents": OFFSET_DTYPE, "sources": SOURCE_DTYPE}
        self._columns: dict[str, Column] = {}

    def read(self, column: str, start: int, stop: int) -> NDArray[np.generic]:
        """Return the values [start, stop) of a column, such as the ids in "tokens"."""
        return self._column(column).read(start, stop)

    @cached_property
    def document_offsets(self) -> NDArray[np.int64]:
        """Where each document starts in `tokens`, then where the last one ends; (num_documents + 1,)."""
        return self.read("documents", 0, self.num_documents + 1).astype(np.int64, copy=False)

    def _column(self, name: str) -> Column:
        if name not in self._columns:
            paths = [self._folder / file.name for file in self._index.columns[name] if file.bytes]
            self._columns[name] = Column(paths, self._dtypes[name])
        return self._columns[name]


class Dataset:
    """A prepared dataset in a local folder."""

    def __init__(self, path: Path, index: Index) -> None:
        dtype = np.dtype(index.dtype).newbyteorder("<")
        self.path = path
        self.index = index
        self.digest = index.digest
        self.vocab_size = index.vocab_size
        self.eos_token_id = index.eos_token_id
        self.tokenizer_path = path / "tokenizer"
        self.splits = {name: Split(path, split, dtype) for name, split in index.splits.items()}

    @classmethod
    def open(cls, path: str | Path) -> Dataset:
        """Open the dataset in a folder; its files are mapped when they are first read.

        Raises:
            BadInput: there is none, or a file is missing or has another size than when it was written.
        """
        folder = Folder.open(path)
        index = Index.read(folder)
        if name := missing_file(folder, index):
            message = f"{folder.uri}/{name} is missing or cut off"
            raise BadInput.one("data.path", message, "run raylm prepare again", code="damaged")
        return cls(Path(folder.path), index)
