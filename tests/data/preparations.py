"""The facts of a preparation as one that ran would give them, small enough to count by hand."""

from collections import Counter
from copy import deepcopy

from raylm.data.tally import Decision, Facts, Filtering, Reading, Size, SourceFacts

FILTERS = [
    {"kind": "unicode", "only": []},
    {"kind": "language", "only": [], "keep": [], "min_confidence": 0.5},
    {"kind": "exact_duplicates", "only": [], "normalise": "whitespace"},
    {"kind": "near_duplicates", "only": [], "threshold": 0.7},
    {"kind": "personal_data", "only": ["mail"], "action": "redact"},
]
BOOKS = [
    Filtering(6, 600),
    Filtering(6, 600, found=Counter(en=5, de=1)),
    Filtering(6, 600, dropped=Counter(exact_duplicate=1), dropped_bytes=100),
    Filtering(5, 500, dropped=Counter(near_duplicate=2), dropped_bytes=200),
    Filtering(),
]
MAIL = [
    Filtering(4, 400, changed=Counter(repaired=1)),
    Filtering(4, 400, found=Counter(en=3, fr=1)),
    Filtering(4, 400, dropped=Counter(exact_duplicate=1), dropped_bytes=100),
    Filtering(3, 300),
    Filtering(3, 300, changed=Counter(redacted=2), found=Counter(email=3, phone=1)),
]


def size(*lengths: int) -> Size:
    """Return the size of documents of so many characters each."""
    total = Size()
    for length in lengths:
        total.count("x" * length)
    return total


def a_source(name: str, licence: str, sizes: tuple[Size, Size], filtering: list[Filtering]) -> SourceFacts:
    return SourceFacts(
        name=name,
        settings={
            "kind": "text",
            "path": f"{name}.txt",
            "licence": licence,
            "origin": f"https://example.org/{name}",
            "retrieved": "2026-11-24",
        },
        digest=name.encode().hex().ljust(64, "0"),
        inputs=2,
        reading=Reading(blank=1),
        raw=sizes[0],
        filtering=deepcopy(filtering),
        kept=sizes[1],
        tokens={"train": 10 * sizes[1].documents, "validation": 4},
        documents={"train": sizes[1].documents - 1, "validation": 1},
    )


def some_facts() -> Facts:
    """Return facts of two sources and five filters."""
    return Facts(
        digest="ab" * 32,
        sources=[
            a_source("books", "CC0-1.0", (size(100, 100, 100, 100, 100, 100), size(100, 100, 100)), BOOKS),
            a_source("mail", "MIT", (size(70, 70, 70, 300), size(70, 70, 300)), MAIL),
        ],
        filters=deepcopy(FILTERS),
        tokenizer={"kind": "byte_bpe", "vocab_size": 300},
        vocab_size=300,
        notes=("tokenizer.vocab_size: asked 4096, the corpus gives 300; the model uses 300",),
    )


def some_decisions() -> list[Decision]:
    """Return what the facts count, document by document."""
    return [
        Decision(0, 2, "dropped", "exact_duplicate", "books.txt:1", "The best of times", "/d/books.txt:2"),
        Decision(0, 3, "dropped", "near_duplicate", "Jaccard 0.83", "The best of tunes", "/d/books.txt:3"),
        Decision(0, 3, "dropped", "near_duplicate", "Jaccard 0.91", "The best of timers", "/d/books.txt:4"),
        Decision(1, 0, "changed", "repaired", "1 place", "The Mona Lisa is smiling", "/d/mail.txt:1"),
        Decision(1, 2, "dropped", "exact_duplicate", "mail.txt:1", "Dear all", "/d/mail.txt:2"),
        Decision(1, 4, "changed", "redacted", "2 email", "write to j***@e***.org", "/d/mail.txt:3"),
        Decision(1, 4, "changed", "redacted", "1 email, 1 phone", "call +49 *** or", "/d/mail.txt:4"),
    ]
