"""A dataset's index.json: what lies in its folder, file by file; it is put last, when the rest is whole."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import ValidationError

from raylm.config.errors import BadInput
from raylm.config.sections import Section
from raylm.runs.folder import Folder

FORMAT = 4
NAME = "index.json"


class StoredFile(Section):
    """A file of the dataset, its name relative to the dataset's folder."""

    name: str
    bytes: int
    sha256: str


class SplitIndex(Section):
    """What a split holds, and the files of each of its columns in order."""

    num_tokens: int
    num_documents: int
    num_sentences: int
    num_bytes: int
    """UTF-8 bytes of the text that the tokens stand for."""
    columns: dict[str, tuple[StoredFile, ...]]


class SourceIndex(Section):
    """What one source gave, by split; documents and tokens of a split stand in the order of the sources."""

    name: str
    licence: str
    num_documents: dict[str, int]
    num_tokens: dict[str, int]


class Index(Section):
    """What a prepared dataset holds."""

    format: int = FORMAT
    digest: str
    """Of what the dataset holds: every column's bytes and the tokenizer's."""
    plan: str
    """Of what it was made from: the inputs' content and every setting that decides the tokens."""
    dtype: Literal["uint16", "uint32"]
    vocab_size: int
    eos_token_id: int
    tokenizer: dict[str, Any]
    """The recipe's tokenizer section."""
    labels: tuple[str, ...] = ()
    """Names of the labels in the order of their ids, of a task that has some."""
    target_dtype: Literal["int32", "float32", "uint8"] | None = None
    """Of what the rows of a task have for a target; None: the dataset holds texts."""
    num_documents: int
    """Of all sources; a document that the split cuts counts once here and in both splits."""
    notes: tuple[str, ...] = ()
    sources: tuple[SourceIndex, ...]
    splits: dict[str, SplitIndex]
    files: tuple[StoredFile, ...]
    """The files beside the splits: the tokenizer and the ledger."""
    reports: tuple[str, ...] = ()
    """Names of files for a person to read; training does without them."""

    def all_files(self) -> list[StoredFile]:
        """Return every file of the dataset but the index."""
        columns = [files for split in self.splits.values() for files in split.columns.values()]
        return [file for files in (*columns, self.files) for file in files]

    def to_bytes(self) -> bytes:
        """Return the content of index.json, which carries its own sha256."""
        body = self.model_dump(mode="json")
        return json.dumps({**body, "sha256": _sha256(body)}, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, folder: Folder) -> Index:
        """Read a dataset's index and check it against its own digest.

        Raises:
            BadInput: there is none, it is damaged, or a newer raylm wrote it.
        """
        where = f"{folder.uri}/{NAME}"
        try:
            values = json.loads(folder.read(NAME))
            given = values.pop("sha256", None)
        except (FileNotFoundError, NotADirectoryError):
            raise BadInput.one(
                "data.path", f"{folder.uri} holds no prepared dataset", code="no-dataset"
            ) from None
        except (ValueError, AttributeError):
            raise _damaged(where) from None
        if isinstance(values.get("format"), int) and values["format"] > FORMAT:
            message = f"{where} has format {values['format']}, newer than {FORMAT}"
            raise BadInput.one("data.path", message, "update raylm", code="newer-format")
        if values.get("format") != FORMAT:
            message = f"{where} has format {values.get('format')}; this raylm reads {FORMAT}"
            raise BadInput.one("data.path", message, "run raylm prepare again", code="older-format")
        if given != _sha256(values):
            raise _damaged(where)
        try:
            return cls.model_validate(values)
        except ValidationError:
            raise _damaged(where) from None


def missing_file(folder: Folder, index: Index) -> str | None:
    """Return the name of a file that is not there or has another size, or None; no content is read."""
    for file in index.all_files():
        try:
            size = folder.size(file.name)
        except (FileNotFoundError, NotADirectoryError):
            return file.name
        if size != file.bytes:
            return file.name
    return None


def _sha256(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _damaged(where: str) -> BadInput:
    return BadInput.one("data.path", f"{where} is damaged", "run raylm prepare again", code="damaged")
