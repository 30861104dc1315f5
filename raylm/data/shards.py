"""Reading a prepared dataset: memory-mapped columns of token ids, never loaded whole."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from raylm.config.errors import BadInput
from raylm.config.vocabulary import Vocabulary
from raylm.data.encoded_records import TARGET_DTYPES
from raylm.data.index import Index, missing_file
from raylm.data.packing import Packing, Rows, pack, pack_pieces
from raylm.data.packing_index import kept
from raylm.data.record_rows import PackedRows, RecordRows
from raylm.data.row_task import Record
from raylm.data.sentence_rows import SentenceRows, sentence_rows
from raylm.data.trained_tokenizer import TrainedTokenizer
from raylm.runs.folder import Folder

# Little-endian on every machine, as the files are.
OFFSET_DTYPE = np.dtype("<i8")
SOURCE_DTYPE = np.dtype("<u2")

_KEPT_FROM = 100_000  # documents: below, packing takes less time than reading what was kept


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

    def __init__(self, folder: Path, index: Index, name: str, packing: Packing) -> None:
        mine = index.splits[name]
        self.num_tokens = mine.num_tokens
        self.num_documents = mine.num_documents
        self.num_sentences = mine.num_sentences
        self.num_bytes = mine.num_bytes
        self.source_tokens = _bounds([source.num_tokens.get(name, 0) for source in index.sources])
        """Where the tokens of each source start, then where the last one's end; (num_sources + 1,)."""
        self.source_documents = _bounds([source.num_documents.get(name, 0) for source in index.sources])
        """The first document of each source, then the number of all; (num_sources + 1,)."""
        self._folder = folder
        self._index = mine
        self._packing = packing
        dtype = np.dtype(index.dtype).newbyteorder("<")
        self._dtypes = {
            "tokens": dtype,
            "documents": OFFSET_DTYPE,
            "sentences": OFFSET_DTYPE,
            "sources": SOURCE_DTYPE,
            "records": np.dtype(np.uint8),
            "records_offsets": OFFSET_DTYPE,
            "target": TARGET_DTYPES[index.target_dtype or "int32"],
            "target_offsets": OFFSET_DTYPE,
        }
        self._columns: dict[str, Column] = {}
        self._rows: dict[tuple[int, int], Rows] = {}
        self._sentence_rows: dict[int, SentenceRows] = {}
        self._offsets: dict[str, NDArray[np.int64]] = {}

    def read(self, column: str, start: int, stop: int) -> NDArray[np.generic]:
        """Return the values [start, stop) of a column, such as the ids in "tokens"."""
        return self._column(column).read(start, stop)

    def rows(self, length: int, lookahead: int = 0) -> Rows:
        """Return which tokens make up each row, by the packing that the dataset was opened with.

        Args:
            length: tokens that a model reads in a row, at most.
            lookahead: tokens beyond those that a row needs as targets.
        """
        key = (length, lookahead)
        if key not in self._rows:
            self._rows[key] = self._pack(length, lookahead)
        return self._rows[key]

    def sentence_rows(self, length: int) -> SentenceRows:
        """Return rows of sentences, at most `length` tokens of one document, each with those of another."""
        if length not in self._sentence_rows:
            self._sentence_rows[length] = sentence_rows(self, length)
        return self._sentence_rows[length]

    def record_rows(self, length: int) -> RecordRows:
        """Return a row for each row of a task: its tokens and its target."""
        return RecordRows(self, length)

    def packed_rows(self, length: int, lookahead: int = 0) -> PackedRows:
        """Return rows of a task put together as `rows` does, with the target of each token."""
        return PackedRows(self.rows(length, lookahead))

    @property
    def num_records(self) -> int:
        """Records of a task; each may have given several rows."""
        return max(0, len(self._column("records_offsets")) - 1) if "records" in self._index.columns else 0

    def record(self, number: int) -> Record:
        """Return a record of a task."""
        start, stop = self.read("records_offsets", number, number + 2).tolist()
        return json.loads(self.read("records", start, stop).tobytes())

    @property
    def target_offsets(self) -> NDArray[np.int64]:
        """Where each row's target starts in `target`, then where the last one ends; (num_documents + 1,)."""
        return self._offsets_in("target_offsets", self.num_documents + 1)

    @property
    def document_offsets(self) -> NDArray[np.int64]:
        """Where each document starts in `tokens`, then where the last one ends; (num_documents + 1,)."""
        return self._offsets_in("documents", self.num_documents + 1)

    @property
    def sentence_offsets(self) -> NDArray[np.int64]:
        """Where each sentence starts in `tokens`, then where the last one ends; (num_sentences + 1,)."""
        return self._offsets_in("sentences", self.num_sentences + 1)

    def _offsets_in(self, column: str, count: int) -> NDArray[np.int64]:
        if column not in self._offsets:
            self._offsets[column] = self.read(column, 0, count).astype(np.int64, copy=False)
        return self._offsets[column]

    def _pack(self, length: int, lookahead: int) -> Rows:
        if self._packing.policy == "stream" or self.num_documents < _KEPT_FROM:
            return pack(self, self._packing, length, lookahead)
        key = {
            "length": length,
            "lookahead": lookahead,
            **self._packing._asdict(),
            "documents": [file.sha256 for file in self._index.columns["documents"]],
            "sources": self.source_documents.tolist(),
        }
        return kept(self._folder, key, lambda: pack_pieces(self, self._packing, length, lookahead))

    def _column(self, name: str) -> Column:
        if name not in self._columns:
            paths = [self._folder / file.name for file in self._index.columns[name] if file.bytes]
            self._columns[name] = Column(paths, self._dtypes[name])
        return self._columns[name]


def _bounds(sizes: list[int]) -> NDArray[np.int64]:
    return np.cumsum([0, *sizes], dtype=np.int64)


class Dataset:
    """A prepared dataset in a local folder."""

    def __init__(self, path: Path, index: Index, packing: Packing) -> None:
        self.path = path
        self.index = index
        self.digest = index.digest
        self.packing = packing
        self.vocab_size = index.vocab_size
        self.eos_token_id = index.eos_token_id
        self.labels = index.labels
        self.tokenizer_path = path / "tokenizer"
        self.splits = {name: Split(path, index, name, packing) for name in index.splits}

    @classmethod
    def open(cls, path: str | Path, packing: Packing | None = None) -> Dataset:
        """Open the dataset in a folder; its files are mapped when they are first read.

        Args:
            path: of the folder.
            packing: how documents become rows; one stream of text if not given.

        Raises:
            BadInput: there is none, or a file is missing or has another size than when it was written.
        """
        folder = Folder.open(path)
        index = Index.read(folder)
        if name := missing_file(folder, index):
            message = f"{folder.uri}/{name} is missing or cut off"
            raise BadInput.one("data.path", message, "run raylm prepare again", code="damaged")
        return cls(Path(folder.path), index, packing or Packing())

    @property
    def source_names(self) -> tuple[str, ...]:
        """What the sources are called, in their order."""
        return tuple(source.name for source in self.index.sources)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What models and objectives must know of the tokenizer."""
        return TrainedTokenizer.load(self.tokenizer_path).vocabulary()

    @cached_property
    def tokenizer_digest(self) -> str:
        """The sha256 over the tokenizer's files."""
        files = sorted(f"{file.sha256} {file.name}" for file in self.index.files if _is_tokenizers(file.name))
        return hashlib.sha256("\n".join(files).encode()).hexdigest()


def _is_tokenizers(name: str) -> bool:
    return name.startswith("tokenizer/")
