"""Texts: how well the model predicts them, in figures that tokenizers do not change."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from raylm.config.choice import discover
from raylm.config.errors import BadInput
from raylm.config.sections import knob
from raylm.data.documents import BadRow, Document, is_blank
from raylm.data.files import source_kind, stem
from raylm.data.reading import as_error
from raylm.data.sources import Source
from raylm.evaluations import NUM_EXAMPLES, Evaluation, Examinee, Result, Score

_DECODED = ("text", "jsonl", "csv")
_NO_STRIDE = "stride is for models that predict left to right; windows that see both sides do not overlap"
_UNKNOWN = "unknown tokens stand for several words: bits per byte are too low"


class _Read(NamedTuple):
    """A document and how probable it is."""

    document: Document
    score: Score

    @property
    def num_bytes(self) -> int:
        return len(self.document.text.encode())


class Text(Evaluation):
    """Documents: nats and perplexity a token, bits a byte.

    A document begins behind the token that ends documents, and its own end is not predicted. One that is
    longer than the model's window is read in windows that overlap: each token is predicted once, and from at
    least `sequence_length - stride` tokens before it. Where the model sees both sides the windows follow each
    other without overlap, and each token is predicted from all others of its window.
    """

    kind: Literal["text"] = "text"
    by: Literal["file", "paragraph", "line"] = "file"
    """What one document is in a text file; paragraphs are parted by blank lines."""
    text_field: str = "text"
    """The field of the document in JSON lines, tables and Parquet."""
    stride: int | None = knob(None, ge=1, unit="tokens")
    """New tokens in each further window of a long document; unset: half a window."""

    def run(self, examinee: Examinee) -> Result:
        documents = list(self._documents())
        if not documents:
            raise BadInput.one("path", f"no text in {', '.join(self.patterns)}", code="empty")
        if self.stride is not None and not examinee.scores_in_order:
            raise BadInput.one("stride", _NO_STRIDE, "leave it out", code="stride")
        requests = [examinee.request("", each.text, each.origin) for each in documents]
        scores = examinee.scores(requests, self.stride)
        reads = [_Read(*pair) for pair in zip(documents, scores, strict=True)]
        kind = "" if examinee.scores_in_order else "pseudo_"
        files: dict[str, list[_Read]] = defaultdict(list)
        for read in reads:
            files[stem(read.document.origin.rpartition(":")[0])].append(read)
        num_unknown = sum(map(examinee.num_unknown, requests))
        return Result(
            metrics=_metrics(reads, kind),
            counts={**_counts(reads), "num_unknown_tokens": num_unknown},
            breakdown={
                name: {**_metrics(part, kind), **_counts(part)}
                for name, part in files.items()
                if len(files) > 1
            },
            examples=_worst(reads, kind),
            notes=(_UNKNOWN,) if num_unknown else (),
        )

    def _documents(self) -> Iterator[Document]:
        count = 0
        for document in self._all_documents():
            if isinstance(document, BadRow):
                raise as_error(document)
            if is_blank(document.text):
                continue
            if count == self.limit:
                return
            count += 1
            yield document

    def _all_documents(self) -> Iterable[Document | BadRow]:
        discover("raylm.data.sources")
        for item in self.inputs():
            kind = source_kind(item.name)
            own = {"by": self.by} if kind == "text" else {"text_field": self.text_field}
            values = {"kind": kind, "path": item.name, **own}
            if kind in _DECODED:
                values |= {"encoding": self.encoding, "errors": self.errors}
            yield from Source.model_validate(values).read(item)


def _metrics(reads: list[_Read], kind: str) -> dict[str, float]:
    nats = -sum(read.score.log_probability for read in reads)
    loss = nats / max(1, sum(read.score.num_tokens for read in reads))
    num_bytes = sum(read.num_bytes for read in reads)
    return {
        f"{kind}loss": loss,
        f"{kind}perplexity": math.exp(min(loss, 700.0)),
        f"{kind}bits_per_byte": nats / math.log(2) / max(1, num_bytes),
    }


def _counts(reads: list[_Read]) -> dict[str, int]:
    return {
        "num_documents": len(reads),
        "num_tokens": sum(read.score.num_tokens for read in reads),
        "num_bytes": sum(read.num_bytes for read in reads),
    }


def _worst(reads: list[_Read], kind: str) -> list[dict[str, Any]]:
    key = f"{kind}bits_per_byte"
    rated = sorted(((_metrics([read], kind)[key], read.document) for read in reads), reverse=True)
    return [
        {"origin": document.origin, key: bits, "text": document.text[:200]}
        for bits, document in rated[:NUM_EXAMPLES]
    ]
