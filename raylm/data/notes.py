"""What a person should know about a prepared corpus, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from raylm.data.assemble import Assembled
from raylm.data.extract import Extracted
from raylm.data.section import DataSection
from raylm.data.tally import Reading, total

LONG_DOCUMENT_BYTES = 10_000_000


def source_notes(data: DataSection, extracted: Sequence[Sequence[Extracted]]) -> Iterator[str]:
    """Yield what is odd about the sources as they were read."""
    for number, parts in enumerate(extracted):
        reading = total(Reading, (part.reading for part in parts))
        field = f"data.sources.{number}"
        if data.sources[number].licence.strip().lower() in ("", "unknown"):
            yield f"{field}.licence: unknown, so nobody can tell later what the model may be used for"
        yield from _reading_notes(
            field, reading, next((part.first_bad for part in parts if part.first_bad), "")
        )
    longest, origin = max((part.longest for parts in extracted for part in parts), default=(0, ""))
    if longest > LONG_DOCUMENT_BYTES:
        yield f"{origin}: one document of {longest / 1e6:,.0f} MB; `by: paragraph` makes shorter ones"


def _reading_notes(field: str, reading: Reading, first_bad: str) -> Iterator[str]:
    if reading.nul:
        yield f"{field}: {reading.nul:,} NUL characters in the text"
    if reading.replaced:
        yield f"{field}: {reading.replaced:,} characters could not be read (U+FFFD)"
    if reading.bad_rows:
        yield f"{field}: {reading.bad_rows:,} rows skipped; the first: {first_bad}"


def split_notes(assembled: Assembled, overlap: int) -> Iterator[str]:
    """Yield what is odd about the splits."""
    for name, count in assembled.num_unknown.items():
        if count:
            yield f"{name} split: {count:,} tokens are unknown to the tokenizer, which saw only train"
    for name, count in assembled.num_shortened.items():
        if count:
            what = "prompts are too long for a row with their answer: their end is given"
            yield f"{name} split: {count:,} {what} (train.sequence_length)"
    for name, count in assembled.num_unlearned.items():
        if count:
            what = "rows would be cut off before what is to be learned and are left out"
            yield f"{name} split: {count:,} {what} (train.sequence_length)"
    if overlap:
        num_documents = assembled.splits["validation"].num_documents
        share = f"{overlap:,} of {num_documents:,} validation documents"
        yield f"{share} are also in train; the filter exact_duplicates drops them"
