"""What a preparation counts: plain values that add up over blocks, files and machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple, Self, TypeVar

Action = Literal["dropped", "changed"]


class Decision(NamedTuple):
    """A document that a filter dropped or changed, and why."""

    source: int
    """The source's number in the recipe."""
    filter: int
    """The filter's number in the recipe."""
    action: Action
    reason: str
    detail: str
    excerpt: str
    origin: str
    """Where the document stands, `file:line`."""


@dataclass
class Counts:
    """Counts that add up; keys and whole numbers only, so that they travel as JSON."""

    def add(self, other: Self) -> None:
        """Add the other's counts to these."""
        for part in fields(self):
            mine, its = getattr(self, part.name), getattr(other, part.name)
            if isinstance(mine, Counter):
                mine.update(its)
            else:
                setattr(self, part.name, mine + its)

    def to_json(self) -> dict[str, Any]:
        return {part.name: _plain(getattr(self, part.name)) for part in fields(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(
            **{
                name: Counter(value) if isinstance(value, dict) else value  # JSON has text keys only
                for name, value in values.items()
            }
        )


C = TypeVar("C", bound=Counts)


def total(kind: type[C], parts: Iterable[C]) -> C:
    """Return the sum of counts of one kind."""
    result = kind()
    for part in parts:
        result.add(part)
    return result


def _plain(value: Any) -> Any:
    return dict(sorted(value.items())) if isinstance(value, Counter) else value


def length_bucket(num_characters: int) -> str:
    """Return the histogram bucket of a text: "64" holds 64 to 127 characters."""
    return str(1 << (max(1, num_characters).bit_length() - 1))


@dataclass
class Size(Counts):
    """Documents and what they hold."""

    documents: int = 0
    characters: int = 0
    bytes: int = 0
    """In UTF-8."""
    lengths: Counter[str] = field(default_factory=Counter)
    """Documents by `length_bucket`."""

    def count(self, text: str) -> None:
        """Add one document."""
        self.documents += 1
        self.characters += len(text)
        self.bytes += len(text.encode())
        self.lengths[length_bucket(len(text))] += 1


@dataclass
class Reading(Counts):
    """What was found while a source was read, beside its documents."""

    blank: int = 0
    """Documents of white space only, left out."""
    nul: int = 0
    """NUL characters kept in the text."""
    replaced: int = 0
    """Characters U+FFFD: bytes that fit no encoding, and lone surrogates."""
    bad_rows: int = 0
    """Rows skipped."""


@dataclass
class Filtering(Counts):
    """What one filter did to the documents of one source."""

    documents: int = 0
    """That came in."""
    bytes: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Documents, by reason."""
    dropped_bytes: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    """Documents, by reason."""
    found: Counter[str] = field(default_factory=Counter)
    """What the verdicts counted, such as e-mail addresses or languages."""


@dataclass
class Unlearned(Counts):
    """Documents left out because a row is cut off before anything that is to be learned."""

    documents: int = 0
    bytes: int = 0


@dataclass
class SourceFacts:
    """One source from its files to its tokens."""

    name: str
    settings: Mapping[str, Any]
    """The source's section of the recipe: kind, path, licence, origin, retrieved, ..."""
    digest: str
    """sha256 over its inputs' digests."""
    inputs: int
    """Files read."""
    reading: Reading
    raw: Size
    """As read."""
    filtering: list[Filtering]
    """By filter, in the order of the recipe."""
    kept: Size
    """After the filters."""
    tokens: Mapping[str, int]
    """By split, ends of text included."""
    documents: Mapping[str, int]
    """By split."""
    unlearned: Unlearned = field(default_factory=Unlearned)
    """Of what the filters left."""


@dataclass
class Facts:
    """All that a report says of a preparation."""

    digest: str
    sources: list[SourceFacts]
    filters: list[Mapping[str, Any]]
    """The filters' sections of the recipe, `kind` first."""
    tokenizer: Mapping[str, Any]
    vocab_size: int
    notes: tuple[str, ...]
