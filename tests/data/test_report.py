"""The report of a preparation counts what happened, shows why, and is safe to open."""

import gzip
import json
import re
from dataclasses import replace

import pytest

from raylm.data.report import DECISIONS, PAGE, build_report, read_report, write_report
from raylm.data.report.words import brief, grouped, num_bytes, percent, shown, tail
from raylm.data.tally import Decision, Facts
from raylm.runs.folder import Folder
from tests.data.preparations import some_decisions, some_facts
from tests.hostile import WHOLE, Page

HOSTILE = " ".join(WHOLE) + " {{ 7*7 }}"


@pytest.fixture
def folder(tmp_path):
    return Folder.open(tmp_path / "dataset")


def page_of(folder, facts, decisions):
    write_report(folder, facts, decisions)
    return folder.read(PAGE).decode()


def test_the_counts_are_the_sums_over_the_sources():
    report = build_report(some_facts(), some_decisions())
    assert (report["exact_duplicates"], report["near_duplicates"]) == (2, 2)
    assert report["personal_data"] == {"email": 3, "phone": 1}
    assert report["languages"] == {"en": 8, "de": 1, "fr": 1}
    assert {name: entry["tokens"] for name, entry in report["licences"].items()} == {"CC0-1.0": 34, "MIT": 34}
    assert report["totals"]["raw"]["documents"] == 10
    assert report["totals"]["kept"]["documents"] == 6
    assert report["totals"]["tokens"] == {"train": 60, "validation": 8}
    assert report["totals"]["reading"]["blank"] == 2


def test_each_filter_says_what_came_in_and_what_it_kept():
    filters = build_report(some_facts(), ())["filters"]
    flow = [(each["kind"], each["documents"], each["kept"]) for each in filters]
    assert flow == [
        ("unicode", 10, 10),
        ("language", 10, 10),
        ("exact_duplicates", 10, 8),
        ("near_duplicates", 8, 6),
        ("personal_data", 3, 3),
    ]
    assert filters[3]["dropped"] == {"near_duplicate": 2}
    assert filters[4]["changed"] == {"redacted": 2}


def test_what_no_filter_looked_for_is_unknown_and_not_zero():
    facts = some_facts()
    bare = replace(facts, filters=[], sources=[replace(source, filtering=[]) for source in facts.sources])
    report = build_report(bare, ())
    assert report["languages"] is None
    assert report["personal_data"] is None
    assert report["exact_duplicates"] is None


def test_the_page_tells_documents_that_a_filter_did_not_look_at(folder):
    page = page_of(folder, some_facts(), ())
    assert "3 passed by" in page  # the six that were left, but for the three mails


def test_every_decision_is_written_with_the_names_of_source_and_filter(folder):
    write_report(folder, some_facts(), some_decisions())
    lines = gzip.decompress(folder.read(DECISIONS)).decode().splitlines()
    found = [json.loads(line) for line in lines]
    assert len(found) == len(some_decisions())
    assert found[1] == {
        "source": "books",
        "filter": "near_duplicates",
        "action": "dropped",
        "reason": "near_duplicate",
        "detail": "Jaccard 0.83",
        "excerpt": "The best of tunes",
        "origin": "/d/books.txt:3",
    }


def test_the_same_preparation_gives_the_same_bytes_and_says_what_it_wrote(tmp_path):
    folders = [Folder.open(tmp_path / name) for name in ("one", "two")]
    names = [write_report(folder, some_facts(), iter(some_decisions())) for folder in folders]
    assert names[0] == names[1]
    assert sorted(names[0]) == folders[0].names()
    for name in names[0]:
        assert folders[0].read(name) == folders[1].read(name)


def test_a_report_is_written_over_an_older_one(folder):
    write_report(folder, some_facts(), some_decisions())
    write_report(folder, some_facts(), ())
    assert gzip.decompress(folder.read(DECISIONS)) == b""
    assert read_report(folder)["filters"][3]["samples"] == []


def many(count: int) -> list[Decision]:
    return [
        Decision(
            0, 3, "dropped", "near_duplicate", f"Jaccard 0.{number}", f"text {number}", f"a.txt:{number}"
        )
        for number in range(count)
    ]


def test_samples_of_many_decisions_are_few_spread_and_independent_of_their_paths():
    samples = build_report(some_facts(), many(1000))["filters"][3]["samples"]
    places = [int(sample["origin"].partition(":")[2]) for sample in samples]
    assert 3 <= len(places) <= 20
    assert places == sorted(places)
    assert places[-1] - places[0] > 300
    moved = [decision._replace(origin=f"/elsewhere/{decision.origin}") for decision in many(1000)]
    again = build_report(some_facts(), moved)["filters"][3]["samples"]
    assert [sample["excerpt"] for sample in again] == [sample["excerpt"] for sample in samples]


def test_samples_of_the_same_text_are_one():
    same = [decision._replace(excerpt="* * *") for decision in many(50)]
    samples = build_report(some_facts(), [*same, *many(1)])["filters"][3]["samples"]
    assert [sample["excerpt"] for sample in samples] == ["* * *", "text 0"]


def test_the_page_shows_counts_reasons_and_excerpts(folder):
    page = page_of(folder, some_facts(), some_decisions())
    for words in ("near duplicate", "Jaccard 0.83", "The best of tunes", "CC0-1.0", "retrieved", "j***@e***"):
        assert words in page
    assert "the corpus gives 300" in page


def hostile_facts() -> Facts:
    facts = some_facts()
    settings = {**facts.sources[0].settings, "licence": HOSTILE, "origin": HOSTILE, "retrieved": HOSTILE}
    bad = replace(facts.sources[0], name=HOSTILE, settings=settings)
    for counts in bad.filtering:
        counts.found[HOSTILE] += 1
        counts.dropped[HOSTILE] += 1
    filters = [{**each, "kind": HOSTILE, HOSTILE: HOSTILE} for each in facts.filters]
    return replace(
        facts, sources=[bad, facts.sources[1]], filters=filters, notes=(HOSTILE,), tokenizer={"kind": HOSTILE}
    )


def test_hostile_text_in_any_field_is_shown_and_never_obeyed(folder):
    decisions = [
        Decision(0, number, "dropped", HOSTILE, HOSTILE, HOSTILE, HOSTILE)
        for number in range(len(some_facts().filters))
    ]
    harmless = Page(page_of(folder, some_facts(), some_decisions()))
    page = page_of(folder, hostile_facts(), decisions)
    found = Page(page)
    assert found.active == []
    assert found.elements == harmless.elements
    assert [text for text in WHOLE if shown(text) not in found.text] == []
    assert not re.search(r"[\u202e\x00\x1b\x9b]|49 }}", page)


def test_the_page_asks_for_nothing_from_anywhere(folder):
    page = page_of(folder, some_facts(), some_decisions())
    assert "default-src 'none'" in page
    assert not re.search(r"""<(link|img|iframe|object|embed|base)\b|\s(src|href)=|url\(|@import""", page)


def test_a_preparation_without_filters_or_documents_has_a_page_too(folder):
    facts = some_facts()
    empty = replace(facts, sources=[], filters=[], notes=())
    assert "has no filters" in page_of(folder, empty, ())


def test_a_report_that_is_missing_or_damaged_is_none(folder):
    assert read_report(folder) is None
    folder.write("report.json", b"{")
    assert read_report(folder) is None
    folder.write("report.json", b'{"format": 99}')
    assert read_report(folder) is None


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (123_456, "123 kB"),
        (2_500_000, "2.5 MB"),
        (5e18, "5,000 PB"),
    ],
)
def test_sizes_are_told_in_a_unit_that_suits_them(count, words):
    assert num_bytes(count) == words


def test_numbers_and_shares_read_well():
    assert grouped(1234567) == "1,234,567"
    assert (percent(0), percent(0.00001), percent(0.5)) == ("0.0 %", "< 0.1 %", "50.0 %")


@pytest.mark.parametrize(
    ("excerpt", "masked"),
    [
        ("write to anna@postmail.org now", "write to a***@p***.org now"),
        (f"{'x ' * 110}write to anna@postm", f"{'x ' * 110}write to …"),
        (f"{'x ' * 110}card: 4111 1111 1111", f"{'x ' * 110}card: …"),
        ("write to a***@p***.org", "write to a***@p***.org"),
        ("no. 12 of 40 pages", "no. 12 of 40 pages"),
    ],
)
def test_excerpts_of_all_filters_are_masked_where_one_looks_for_personal_data(excerpt, masked):
    decision = some_decisions()[0]._replace(excerpt=excerpt)
    facts = some_facts()
    assert build_report(facts, [decision])["filters"][2]["samples"][0]["excerpt"] == masked
    bare = replace(facts, filters=[{**each, "kind": "other"} for each in facts.filters])
    assert build_report(bare, [decision])["filters"][2]["samples"][0]["excerpt"] == excerpt


def test_places_are_told_by_folder_and_file():
    assert tail("/a/b/c/d.txt:3") == "c/d.txt:3"
    assert brief("Jaccard 0.83; kept: /a/b/c/d.txt:3") == "Jaccard 0.83; kept: c/d.txt:3"
    assert brief("kept: s3://x/a/b/d.txt:3") == "kept: b/d.txt:3"
    assert brief("0.5 of 1/2 words, max is 0.3") == "0.5 of 1/2 words, max is 0.3"


def test_other_scripts_are_shown_as_they_are():
    assert shown("naïve 你好 שלום 🙂\n\tx") == "naïve 你好 שלום 🙂\n\tx"
