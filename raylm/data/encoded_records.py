"""What the rows of a task give to one split: ids, targets, and the records themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from raylm.config.errors import located
from raylm.data.documents import Document
from raylm.data.encoded_split import LENGTH_DTYPE, EncodedSplit, Ragged
from raylm.data.row_task import Encoded, RowTask
from raylm.data.text_encoder import TextEncoder

TARGET_DTYPES = {"int32": np.dtype("<i4"), "float32": np.dtype("<f4"), "uint8": np.dtype(np.uint8)}
"""Of the column of targets, by what the index calls it; little-endian on every machine."""


def encode_records(
    documents: Iterable[Document],
    task: RowTask,
    encoder: TextEncoder,
    dtype: np.dtype[np.unsignedinteger],
    target: np.dtype,
) -> EncodedSplit:
    """Return the rows of one split's documents.

    Rows that are cut off before anything that is to be learned are left out; their records stay.

    Raises:
        BadInput: a record cannot be a row; names the file and the line.
    """
    rows: list[Encoded] = []
    records: list[bytes] = []
    num_bytes = Counter[bool]()  # by whether something is learned of a document
    num_unlearned = 0
    for document in documents:
        with located(document.origin):
            found = task.encode(json.loads(document.record), encoder)
        learned = [row for row in found if _is_learned(row, encoder.row_length)]
        rows += learned
        records.append(document.record.encode())
        num_bytes[bool(learned)] += len(document.text.encode())
        num_unlearned += not learned
    tokens = _ragged([row.tokens for row in rows], dtype)
    unknown = encoder.tokenizer.unk_token_id
    return EncodedSplit(
        tokens=tokens.values,
        lengths=tokens.lengths,
        sentences=tokens.lengths,
        num_bytes=num_bytes[True],
        num_unknown=0 if unknown is None else int(np.count_nonzero(tokens.values == unknown)),
        more={
            "target": _ragged([row.target for row in rows], target),
            "records": Ragged(np.frombuffer(b"".join(records), np.uint8), _lengths(records)),
        },
        num_shortened=sum(row.num_left_out > 0 for row in rows),
        num_unlearned=num_unlearned,
        unlearned_bytes=num_bytes[False],
    )


def _is_learned(row: Encoded, length: int | None) -> bool:
    """Whether a model that reads so many tokens is asked for one that is marked; the first is never asked."""
    return length is None or any(row.target[1 : length + 1])


def _ragged(rows: Sequence[Sequence[float]], dtype: np.dtype) -> Ragged:
    values = [np.asarray(row, dtype) for row in rows]
    return Ragged(np.concatenate([np.empty(0, dtype), *values]), _lengths(values))


def _lengths(rows: Sequence[NDArray | bytes]) -> NDArray[np.int64]:
    return np.array([len(row) for row in rows], LENGTH_DTYPE)
