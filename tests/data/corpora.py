"""Corpora of several sources, files and blocks, small enough to be prepared in a second."""

import hashlib
import json
import random
from itertools import count
from pathlib import Path

from raylm.data.filters.exact_duplicates import ExactDuplicates
from raylm.data.filters.near_duplicates import NearDuplicates
from raylm.data.filters.personal_data import PersonalData
from raylm.data.filters.unicode import Unicode
from raylm.data.section import DataSection
from raylm.data.sources.jsonl import Jsonl
from raylm.data.sources.text import Text
from raylm.runs.folder import Folder

_SYLLABLES = [first + second for first in "bdfgklmnprst" for second in ("a", "e", "i", "o", "u", "ey", "ön")]
# What is read together ends with a file whose digest ends so: each such file gives a block of its own.
_CUT_MARK = "00"


def paragraphs(number: int, seed: int) -> list[str]:
    """Return made-up paragraphs of 30 words; no two are alike."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(1, 4))) for _ in range(600)]
    return [" ".join(draw.choices(words, k=30)) + "." for _ in range(number)]


def write_block(path: Path, text: str) -> Path:
    """Write a text with a last line that makes it a block of its own."""
    start = hashlib.sha256(text.encode())
    for number in count():
        digest, last = start.copy(), f"\n\nThis file bears the number {number}."
        digest.update(last.encode())
        if digest.hexdigest().endswith(_CUT_MARK):
            path.write_text(text + last, encoding="utf-8", newline="")
            return path
    raise AssertionError


def change_a_word(text: str, place: int) -> str:
    words = text.split()
    words[place % len(words)] = "elsewhere"
    return " ".join(words)


def write_sources(folder: Path) -> tuple[Text, Jsonl, Text]:
    """Write three sources, seven blocks; 20 exact and 10 near duplicates across them, and 5 addresses."""
    books = [paragraphs(40, seed) for seed in range(4)]
    for number, each in enumerate(books):
        write_block(folder / f"book{number}.txt", "\n\n".join(each))
    letters = [f"Write to someone{n}@example.org. {text}" for n, text in enumerate(paragraphs(5, 10))]
    letters += books[0][:10]
    rows = [{"body": text} for text in letters]
    (folder / "letters.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    copies = paragraphs(30, 11) + books[2][10:20]
    copies += [change_a_word(text, 7 * place) for place, text in enumerate(books[3][:10])]
    write_block(folder / "copies0.txt", "\n".join(copies[:30]))
    (folder / "copies1.txt").write_text("\n".join(copies[30:]), encoding="utf-8")
    return (
        Text(path=str(folder / "book*.txt"), by="paragraph", name="books", licence="MIT"),
        Jsonl(path=str(folder / "letters.jsonl"), text_field="body", licence="MIT"),
        Text(path=str(folder / "copies*.txt"), by="line", name="copies", licence="MIT"),
    )


def filtered(folder: Path, **settings) -> DataSection:
    """Return the sources with filters of both sorts: of one document, and of the whole corpus."""
    filters = (Unicode(), ExactDuplicates(), PersonalData(), NearDuplicates())
    return DataSection(**{"sources": write_sources(folder), "filters": filters, **settings})


def files_of(uri: str | Path) -> dict[str, bytes]:
    """Return every file below a local folder."""
    root = Folder.open(uri).local_path()
    assert root is not None
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def results(storage: str | Path) -> dict[str, int]:
    """Return the results that preparations keep, step/name, with what changes when one is written again."""
    root = Path(storage) / "datasets" / ".work"
    return {str(path.relative_to(root)): path.stat().st_ino for path in root.glob("*/[!.]*")}


def written(before: dict[str, int], after: dict[str, int]) -> dict[str, set[str]]:
    """Return the names of the results that are new or were written again, by step."""
    new: dict[str, set[str]] = {}
    for name, stamp in after.items():
        if before.get(name) != stamp:
            new.setdefault(name.partition("/")[0], set()).add(name)
    return new
