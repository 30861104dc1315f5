"""The ledger says whose texts a dataset holds and what was taken out of them."""

import json

from raylm.data.ledger import build_ledger, read_ledger, removed_documents
from raylm.runs.folder import Folder
from tests.data.preparations import some_facts


def test_a_source_is_told_with_licence_origin_counts_and_what_filters_removed():
    books, mail = build_ledger(some_facts())["sources"]
    assert (books["name"], books["licence"], books["origin"]) == (
        "books",
        "CC0-1.0",
        "https://example.org/books",
    )
    assert books["retrieved"] == "2026-11-24"
    assert (books["read"], books["documents"], books["bytes"]) == ({"documents": 6, "bytes": 600}, 3, 300)
    assert books["tokens"] == {"train": 30, "validation": 4}
    assert books["removed"] == {
        "exact_duplicates": {"exact_duplicate": 1},
        "near_duplicates": {"near_duplicate": 2},
    }
    assert removed_documents(books) == books["read"]["documents"] - books["documents"]
    assert books["removed_bytes"] == 300
    assert mail["changed"] == {"personal_data": {"redacted": 2}, "unicode": {"repaired": 1}}


def test_a_ledger_is_the_same_wherever_the_files_lie():
    facts = some_facts()
    for source in facts.sources:
        source.settings["path"] = "/elsewhere/x.txt"
    assert build_ledger(facts) == build_ledger(some_facts())


def test_a_ledger_reads_back_as_it_was_written(tmp_path):
    folder = Folder.open(tmp_path)
    assert read_ledger(folder) is None
    ledger = build_ledger(some_facts())
    folder.write("ledger.json", json.dumps(ledger).encode())
    assert read_ledger(folder) == ledger
    folder.write("ledger.json", b"[1]")
    assert read_ledger(folder) is None
