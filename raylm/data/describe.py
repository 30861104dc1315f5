"""What stands beside a dataset's columns: tokenizer, ledger, report, and the index that makes it whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from raylm.data.assemble import Assembled
from raylm.data.encode import token_dtype
from raylm.data.filters import Filter
from raylm.data.index import NAME, Index, SourceIndex, SplitIndex, StoredFile
from raylm.data.ledger import build_ledger
from raylm.data.report import write_report
from raylm.data.tally import Decision, Facts, SourceFacts
from raylm.data.tokenizers import Tokenizer, TrainedTokenizer
from raylm.data.writer import write_file
from raylm.runs.folder import Folder


class Written(NamedTuple):
    """A dataset's columns as they were written."""

    folder: Folder
    plan: str
    tokenizer: Tokenizer
    trained: TrainedTokenizer
    assembled: Assembled
    notes: tuple[str, ...]
    labels: tuple[str, ...] = ()
    target_dtype: str | None = None


def describe(
    written: Written, sources: list[SourceFacts], filters: Sequence[Filter], decisions: Iterable[Decision]
) -> Index:
    """Write tokenizer, ledger, report and, last, the index."""
    folder, trained, splits = written.folder, written.trained, written.assembled.splits
    files = [write_file(folder, f"tokenizer/{name}", data) for name, data in trained.files().items()]
    tokenizer = written.tokenizer.settings()
    facts = Facts(
        digest=_digest(splits, files),
        sources=sources,
        filters=[each.model_dump(mode="json") for each in filters],
        tokenizer=tokenizer,
        vocab_size=trained.vocab_size,
        notes=written.notes,
    )
    ledger = json.dumps(build_ledger(facts), indent=1, ensure_ascii=False).encode() + b"\n"
    index = Index(
        digest=facts.digest,
        plan=written.plan,
        dtype="uint16" if token_dtype(trained).itemsize == 2 else "uint32",  # noqa: PLR2004 - bytes
        vocab_size=trained.vocab_size,
        eos_token_id=trained.eos_token_id,
        tokenizer=tokenizer,
        labels=written.labels,
        target_dtype=written.target_dtype,  # pyright: ignore[reportArgumentType] - one of two names
        num_documents=sum(source.kept.documents for source in sources),
        notes=written.notes,
        sources=tuple(_source_index(source) for source in sources),
        splits=splits,
        files=(*files, write_file(folder, "ledger.json", ledger)),
        reports=write_report(folder, facts, decisions),
    )
    folder.write(NAME, index.to_bytes())
    return index


def _source_index(facts: SourceFacts) -> SourceIndex:
    return SourceIndex(
        name=facts.name,
        licence=str(facts.settings["licence"]),
        num_documents=dict(facts.documents),
        num_tokens=dict(facts.tokens),
    )


def _digest(splits: dict[str, SplitIndex], tokenizer: Iterable[StoredFile]) -> str:
    """Return the digest of the content: every column's bytes and the tokenizer's."""
    columns = {
        f"{split}/{name}": [file.sha256 for file in files]
        for split, index in splits.items()
        for name, files in index.columns.items()
    }
    facts = {"columns": columns, "tokenizer": {file.name: file.sha256 for file in tokenizer}}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
