"""The ledger goes where the data goes: into run.json, every checkpoint and the card of an exported model."""

import json
import re
import shutil
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from raylm.api.launch import drive, resume
from raylm.config import BadInput
from raylm.config.yaml import dump_yaml, parse_yaml
from raylm.data.report.words import shown
from raylm.engine.card import model_card
from raylm.engine.export import export
from raylm.recipe import Recipe
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.fork import fork
from raylm.runs.run import Run
from tests.hostile import WHOLE, Page
from tests.tiny import CORPUS, tiny_recipe, train_alone

SOURCE = {
    "kind": "text",
    "name": "plays",
    "path": str(CORPUS),
    "licence": "public domain",
    "origin": "a shelf",
}

ALLOWED = {"h1", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "pre", "code"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    recipe = tiny_recipe(data={"sources": [SOURCE]}, train={"max_steps": 10})
    return train_alone(recipe, str(tmp_path_factory.mktemp("ledger")), "plays")


@pytest.fixture
def run(trained, storage) -> Run:
    shutil.copytree(trained.storage, storage)
    return Run.open(storage, trained.run_id)


def sources(ledger: dict) -> list[tuple[str, str]]:
    return [(source["name"], source["licence"]) for source in ledger["sources"]]


def test_run_json_and_each_checkpoint_hold_the_datasets_ledger(run):
    header = json.loads(run.folder.read("run.json"))
    (dataset,) = (Path(run.storage) / "datasets").glob("[0-9a-f]*")
    ledger = json.loads((dataset / "ledger.json").read_text())
    assert header["ledger"] == ledger
    assert sources(ledger) == [("plays", "public domain")]
    for step in (5, 10):
        facts = run.checkpoints.show(step).facts
        assert facts["ledger"] == ledger
        assert facts["data_digest"] == header["data_digest"]


def test_the_card_of_an_exported_model_names_sources_licences_and_counts(run, tmp_path):
    export(run, 10, tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: transformers\n")
    assert "step 10, 2,560 tokens seen" in card
    assert "| plays | public domain | a shelf | - | 1 of 1 | 40.0 kB of 40.0 kB | 40,001 | none |" in card


def test_a_fork_on_other_data_keeps_the_ledger_of_what_its_parent_learned_from(run, tmp_path):
    other = tmp_path / "other.txt"
    # The same characters, so that the tokenizer stays as it was.
    other.write_text(CORPUS.read_text()[::-1])
    child = fork(run, 10, run_id="child")
    change = ["train.max_steps=15", f"data.sources.0.path={other}", "data.sources.0.name=mirror"]
    recipe = Recipe.from_yaml(run.recipe_yaml(), change)
    drive(child, child.claim_launch(recipe.to_yaml(), how="here"))
    facts = child.checkpoints.show(15).facts
    assert sources(facts["ledger"]) == [("mirror", "public domain")]
    assert [sources(ledger) for ledger in facts["earlier_ledgers"]] == [[("plays", "public domain")]]
    assert sources(child.header()["ledger"]) == [("mirror", "public domain")]
    card = model_card(child, child.checkpoints.show(15))
    assert card.index("| mirror |") < card.index("### Before the fork") < card.index("| plays |")


def test_a_resume_that_is_refused_leaves_the_record_as_it_was(run, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text(CORPUS.read_text()[::-1])
    before = run.folder.read("run.json")
    with pytest.raises(BadInput, match="the prepared data is"):
        resume(run, ["train.max_steps=15", f"data.sources.0.path={other}"])
    assert run.folder.read("run.json") == before


def test_a_resume_keeps_one_ledger(run):
    resume(run, ["train.max_steps=15"])
    facts = run.checkpoints.show(15).facts
    assert facts["earlier_ledgers"] == []
    assert sources(facts["ledger"]) == [("plays", "public domain")]


def a_checkpoint(**facts) -> Checkpoint:
    return Checkpoint(3, "uri", {"tokens_seen": 1000, **facts}, "good")


def test_a_card_shows_hostile_words_as_words(run):
    ledger = run.checkpoints.show(10).facts["ledger"]
    hostile = " ".join(WHOLE) + "\n# boo\n````\n<img src=x>"
    (source,) = ledger["sources"]
    bad = {**source, "name": hostile, "licence": hostile, "origin": hostile, "removed": {"x": {hostile: 2}}}
    recipe = parse_yaml(run.recipe_yaml(), "recipe").values
    recipe["optimizer"][hostile] = recipe["tokenizer"]["kind"] = hostile
    config = json.loads(run.folder.read("model/config.json"))
    run.folder.write("launches/1.yaml", dump_yaml(recipe).encode())
    run.folder.write("model/config.json", json.dumps({**config, "architectures": [hostile]}).encode())
    run.add_to_header(name=hostile)
    record = json.dumps({"name": hostile, "metrics": {hostile: 1.0}})
    run.folder.write("evaluations/step-00000003/a.json", record.encode())
    told = {**ledger, "digest": hostile, "sources": [bad], "filters": [hostile]}
    card = model_card(run, a_checkpoint(ledger=told, metrics={f"eval/{hostile} loss": 1.0}))
    _, head, body = card.split("---\n", 2)
    assert set(parse_yaml(head, "card").values) == {"library_name", "tags"}
    page = Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(body))
    assert page.active == []
    assert page.elements <= ALLOWED
    text = " ".join(page.text.split())
    assert [one for one in WHOLE if " ".join(shown(one).split()) not in text] == []
    assert not re.search(r"[\u202e\x00\x1b\x9b]", card)


def test_a_checkpoint_without_a_ledger_has_a_card_that_says_so(run):
    assert "carries no ledger" in model_card(run, a_checkpoint())
