import random

import pytest

from raylm.data.section import DataSection
from raylm.data.sources.text import Text

WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog;",
    "naïve",
    "café,",
    "Straße,",
    "你好",
    "🙂",
    "שלום",
]


@pytest.fixture
def corpus(tmp_path):
    """A text file of some 40 kB, many words, several scripts."""
    draw = random.Random(0)
    lines = [" ".join(draw.choices(WORDS, k=draw.randint(1, 12))) for _ in range(800)]
    path = tmp_path / "corpus.txt"
    path.write_text("\n\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def section(corpus):
    """The data section over that file, each paragraph a document."""
    return DataSection(sources=(Text(path=str(corpus), by="paragraph"),))
