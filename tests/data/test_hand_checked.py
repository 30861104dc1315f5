"""The report's counts are those of a person who read the thirty documents in `hand_checked`."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from raylm.data.prepare import prepare
from raylm.data.report import DECISIONS, read_report
from raylm.recipe import Recipe
from raylm.runs.folder import Folder

FOLDER = Path(__file__).parent / "hand_checked"
TRUTH = yaml.safe_load((FOLDER / "truth.yaml").read_text())
FILES = {
    "letters": {"kind": "jsonl", "path": str(FOLDER / "letters.jsonl")},
    "notices": {"kind": "text", "path": str(FOLDER / "notices.txt"), "by": "paragraph"},
    "manual": {"kind": "text", "path": str(FOLDER / "manual.txt"), "by": "line"},
}
FILTERS = ("licence", "language", "exact_duplicates", "near_duplicates", "personal_data")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """The prepared corpus, each filter as it is by default."""
    licence_of = {source: licence for licence, source in TRUTH["licences"].items()}
    sources = [{**fields, "name": name, "licence": licence_of[name]} for name, fields in FILES.items()]
    recipe = Recipe.from_values(
        {
            "name": "hand-checked",
            "model": {"kind": "gpt2"},
            "tokenizer": {"kind": "character"},
            "data": {"sources": sources, "filters": [{"kind": kind} for kind in FILTERS]},
            "objective": {"kind": "causal"},
            "optimizer": {"kind": "adamw", "learning_rate": 1e-3},
            "schedule": {"kind": "cosine"},
            "train": {"max_steps": 1},
        }
    )
    prepared = prepare(recipe.data, recipe.tokenizer, str(tmp_path_factory.mktemp("hand_checked")))
    return Folder.open(prepared.uri)


@pytest.fixture(scope="module")
def report(dataset):
    found = read_report(dataset)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def decisions(dataset):
    """Every decision by filter, each under the name and line of its document."""
    found = {kind: {} for kind in FILTERS}
    for line in gzip.decompress(dataset.read(DECISIONS)).splitlines():
        decision = json.loads(line)
        found[decision["filter"]][Path(decision["origin"]).name] = decision
    return found


def test_every_document_is_counted(report):
    documents = {source["name"]: source["raw"]["documents"] for source in report["sources"]}
    assert documents == TRUTH["documents"]
    copies = len(TRUTH["exact_duplicates"]) + len(TRUTH["near_duplicates"])
    assert report["totals"]["kept"]["documents"] == sum(TRUTH["documents"].values()) - copies


@pytest.mark.parametrize("kind", ["exact_duplicates", "near_duplicates"])
def test_the_copies_are_those_that_a_person_found(report, decisions, kind):
    assert report[kind] == len(TRUTH[kind])
    assert decisions[kind].keys() == TRUTH[kind].keys()
    for copy, first in TRUTH[kind].items():
        assert decisions[kind][copy]["detail"].endswith(f"/{first}")


def test_the_languages_are_those_that_a_person_read(report):
    assert report["languages"] == TRUTH["languages"]
    by_source = {source["name"]: source["filters"][1]["found"] for source in report["sources"]}
    for name, fields in FILES.items():
        foreign = Counter(TRUTH["not_english"].get(Path(fields["path"]).name, {}).values())
        assert by_source[name] == {**foreign, "en": TRUTH["documents"][name] - foreign.total()}


def test_the_personal_data_is_what_a_person_found(report, decisions):
    total = sum((Counter(found) for found in TRUTH["personal_data"].values()), Counter())
    assert report["personal_data"] == dict(total)
    assert decisions["personal_data"].keys() == TRUTH["personal_data"].keys()


def test_no_excerpt_gives_away_personal_data(dataset, decisions):
    shown = json.dumps(decisions) + dataset.read("report.html").decode()
    for secret in ("anna.hollis@postmail.org", "4111 1111 1111 1111", "536-90-4399", "93.184.216.34"):
        assert secret not in shown


def test_each_licence_covers_its_source(report):
    sources = {licence: entry["sources"] for licence, entry in report["licences"].items()}
    assert sources == {licence: [name] for licence, name in TRUTH["licences"].items()}
