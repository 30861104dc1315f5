"""How well a tokenizer fits texts, by source and by language."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raylm.config.errors import BadInput
from raylm.data.chunks import chunks
from raylm.data.documents import BadRow
from raylm.data.sources import Source
from raylm.data.trained_tokenizer import TrainedTokenizer
from raylm.data.words import folded, words

_BATCH_CHARACTERS = 1 << 20


class Sample(NamedTuple):
    """A text to measure on."""

    source: str
    language: str
    """ISO 639 code; "" where languages are not told apart."""
    text: str
    num_bytes: int
    num_words: int


def read_samples(sources: Sequence[Source], names: Sequence[str], max_bytes: int) -> Iterator[Sample]:
    """Yield the first `max_bytes` of each source's text, blank documents and bad rows left out.

    Raises:
        BadInput: a source cannot be read.
    """
    identify = _identifier()
    for source, name in zip(sources, names, strict=True):
        left = max_bytes
        for text in _texts(source):
            if left <= 0:
                break
            num_bytes = len(text.encode("utf-8", "replace"))
            left -= num_bytes
            yield Sample(name, identify(text), text, num_bytes, len(words(folded(text))))


def _texts(source: Source) -> Iterator[str]:
    for item in source.inputs():
        for document in source.read(item):
            if not isinstance(document, BadRow) and document.text.strip():
                yield from chunks(document.text)


def _identifier() -> Any:
    """Return a function that names a text's language; "" where no identifier is installed."""
    from raylm.data.language import identify

    try:
        identify("Is there an identifier?")
    except BadInput:
        return lambda text: ""  # noqa: ARG005 - the other one takes it
    return lambda text: identify(text).language


@dataclass
class Measure:
    """Sums over texts, from which every figure follows."""

    used: NDArray[np.bool_]
    """Whether an id has come, (vocab_size,)."""
    num_texts: int = 0
    num_changed: int = 0
    """Texts that do not come back from their ids as they were."""
    num_bytes: int = 0
    num_words: int = 0
    num_tokens: int = 0
    num_unknown: int = 0

    def add(self, sample: Sample, ids: NDArray[np.int64], unk_token_id: int | None, *, is_same: bool) -> None:
        """Count a text and its ids."""
        self.used[ids] = True
        self.num_texts += 1
        self.num_changed += not is_same
        self.num_bytes += sample.num_bytes
        self.num_words += sample.num_words
        self.num_tokens += len(ids)
        self.num_unknown += int(np.count_nonzero(ids == unk_token_id))

    def to_json(self) -> dict[str, Any]:
        """Return the figures.

        Fertility is tokens per word (Acs 2019; Rust et al. 2021); a character of a script without blanks,
        such as Chinese, counts as a word.
        """
        return {
            "texts": self.num_texts,
            "bytes": self.num_bytes,
            "tokens": self.num_tokens,
            "bytes_per_token": self.num_bytes / max(1, self.num_tokens),
            "fertility": self.num_tokens / max(1, self.num_words),
            "unknown_rate": self.num_unknown / max(1, self.num_tokens),
            "vocabulary_used": float(self.used.mean()),
            "round_trip": 1 - self.num_changed / max(1, self.num_texts),
        }


@dataclass
class TokenizerReport:
    """What a tokenizer makes of texts."""

    vocab_size: int
    total: Measure
    sources: dict[str, Measure]
    languages: dict[str, Measure]
    mb_per_second: float
    """Megabytes of text encoded in a second, on all cores."""

    def to_json(self) -> dict[str, Any]:
        return {
            "vocab_size": self.vocab_size,
            **self.total.to_json(),
            "mb_per_second": self.mb_per_second,
            "sources": {name: part.to_json() for name, part in self.sources.items()},
            "languages": {name: part.to_json() for name, part in sorted(self.languages.items())},
        }


def measure(trained: TrainedTokenizer, samples: Iterable[Sample]) -> TokenizerReport:
    """Return how well a tokenizer fits the samples."""

    def fresh() -> Measure:
        return Measure(np.zeros(trained.vocab_size, np.bool_))

    total, sources, languages = fresh(), {}, {}
    seconds = 0.0
    for batch in _batches(samples):
        start = time.perf_counter()
        arrays = trained.encode_batch([sample.text for sample in batch])
        seconds += time.perf_counter() - start
        for sample, ids in zip(batch, arrays, strict=True):
            is_same = trained.decode(ids.tolist()) == sample.text
            parts = [total, sources.setdefault(sample.source, fresh())]
            if sample.language:
                parts.append(languages.setdefault(sample.language, fresh()))
            for part in parts:
                part.add(sample, ids, trained.unk_token_id, is_same=is_same)
    speed = total.num_bytes / 1e6 / max(seconds, 1e-9)
    return TokenizerReport(trained.vocab_size, total, sources, languages, speed)


def _batches(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    batch: list[Sample] = []
    size = 0
    for sample in samples:
        batch.append(sample)
        size += len(sample.text)
        if size > _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
