"""What each filter costs: the calls that a preparation makes, on the texts of the examples."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.harness import ROOT
from raylm.config import discover
from raylm.data.filters import CorpusFilter, DocumentFilter, Filter
from raylm.data.prepare import prepare
from raylm.data.section import DataSection
from raylm.data.sources import Document, Source
from raylm.data.tokenizers import Tokenizer

DATA = ROOT / "examples" / "data"
SOURCES = (
    {"kind": "text", "path": str(DATA / "books" / "*Carroll*.md"), "by": "paragraph"},
    {"kind": "text", "path": str(DATA / "wikitext2" / "valid.txt.gz"), "by": "paragraph"},
    {"kind": "text", "path": str(DATA / "wiki_docs" / "wiki_demo.txt.gz"), "by": "line"},
    {"kind": "jsonl", "path": str(DATA / "python_code" / "thealgorithms.jsonl.gz")},
)
FILTERS = (
    {"kind": "licence", "allow": ["CC0-1.0"]},
    {"kind": "unicode"},
    {"kind": "language"},
    {"kind": "c4_quality"},
    {"kind": "gopher_quality"},
    {"kind": "fineweb_quality"},
    {"kind": "repetition"},
    {"kind": "exact_duplicates"},
    {"kind": "near_duplicates"},
    {
        "kind": "decontamination",
        "against": [str(DATA / "evaluation" / "gsm8k_sample.jsonl")],
        "fields": ["question"],
    },
    {"kind": "personal_data"},
)
_BLOCK_DOCUMENTS = 1000


def measure(folder: Path) -> dict[str, float]:
    """Print megabytes per CPU-second of each filter on every document, and its share; return the figures."""
    for family in ("sources", "filters", "tokenizers"):
        discover(f"raylm.data.{family}")
    data = section()
    texts = [_texts(source) for source in data.sources]
    megabytes = sum(len(text.encode()) for part in texts for text in part) / 1e6
    seconds = {"preparation without filters": cpu_seconds(lambda: _prepare(folder))}
    seconds |= {each.model_dump()["kind"]: _cost(each, data.sources, texts) for each in data.filters}
    total = sum(seconds.values())
    print(f"{megabytes:.1f} MB of the examples{'MB per CPU-second':>28}{'share':>9}")
    for name, cost in seconds.items():
        print(f"{name:28}{megabytes / cost:18.1f}{cost / total:9.1%}")
    print(f"{'all':28}{megabytes / total:18.2f}")
    figures = {f"filters/{name.split()[0]}/mb_per_cpu_second": megabytes / s for name, s in seconds.items()}
    figures |= {f"filters/{name.split()[0]}/share": cost / total for name, cost in seconds.items()}
    return figures | {"filters/all/mb_per_cpu_second": megabytes / total}


def section(*, has_filters: bool = True) -> DataSection:
    """Return the data section with every filter or none."""
    sources = [{**source, "licence": "CC0-1.0"} for source in SOURCES]
    return DataSection.model_validate(
        {"sources": sources, "filters": FILTERS if has_filters else (), "num_workers": 1}
    )


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _texts(source: Source) -> list[str]:
    rows = (row for item in source.inputs() for row in source.read(item))
    return [row.text for row in rows if isinstance(row, Document) and row.text.strip()]


def _cost(rule: Filter, sources: Sequence[Source], texts: Sequence[Sequence[str]]) -> float:
    if isinstance(rule, CorpusFilter):
        return _corpus_cost(rule, [text for part in texts for text in part])
    assert isinstance(rule, DocumentFilter)
    seconds = 0.0
    for source, part in zip(sources, texts, strict=True):
        judge = rule.judge(source)
        judge("A text that loads what is loaded once.")
        seconds += cpu_seconds(lambda judge=judge, part=part: [judge(text) for text in part])
    return seconds


def _corpus_cost(rule: CorpusFilter, texts: Sequence[str]) -> float:
    def work() -> None:
        starts = range(0, len(texts), _BLOCK_DOCUMENTS)
        rule.decide([rule.sketch(texts[at : at + _BLOCK_DOCUMENTS]) for at in starts], texts.__getitem__)

    rule.sketch(texts[:10])
    return cpu_seconds(work)


def _prepare(folder: Path) -> None:
    tokenizer = Tokenizer.model_validate({"kind": "pretrained", "path": str(folder / "tokenizer")})
    prepare(section(has_filters=False), tokenizer, str(folder / "storage-filters"))
