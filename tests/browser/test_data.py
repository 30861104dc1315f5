"""The Data panel as a person uses it, over a dataset that was really prepared."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from raylm.runs import Run
from raylm.runs.fork import delete
from tests.browser.looking import THEMES, violations
from tests.tiny import CORPUS, tiny_recipe, train_alone

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=window.hacked=1>"
HELD_OUT = "the quick brown fox jumps over the lazy dog and far away"
EMPTY = """
import tempfile
from raylm.api.store import Store
from raylm.widgets.panels.data import Data
Data(Store(tempfile.mkdtemp()))
"""


@pytest.fixture(scope="module")
def learned(lab) -> Iterator[Run]:
    """Train on two sources with filters; the second one's name and texts are hostile."""
    folder = Path(lab.folder) / "texts"
    folder.mkdir()
    (folder / "bad.txt").write_text(
        f"{HOSTILE}\n\nHello 🙂 été\n\nmail ann@example.org\n\nHello 🙂 été\n\n{HELD_OUT}\n"
    )
    (folder / "exam.txt").write_text(f"{HELD_OUT}\n")
    play = {
        "kind": "text",
        "path": str(CORPUS),
        "by": "paragraph",
        "name": "plays",
        "licence": "public domain",
    }
    bad = {"kind": "text", "path": str(folder / "bad.txt"), "by": "paragraph", "name": HOSTILE}
    filters = [
        {"kind": "exact_duplicates"},
        {"kind": "personal_data"},
        {"kind": "decontamination", "against": [str(folder / "exam.txt")]},
    ]
    recipe = tiny_recipe(
        tokenizer={"kind": "byte_bpe", "vocab_size": 400},
        data={"sources": [play, bad], "filters": filters},
        train={"max_steps": 5},
    )
    run = train_alone(recipe, lab.storage, "20990103-000000-data-0000")
    yield run
    delete(run)


@pytest.fixture
def shown(window, lab, learned):
    """Return the cockpit with the Data panel in front; above it stands the panel of an empty storage."""
    path = "notebooks/data.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in (EMPTY, "import raylm\nraylm.cockpit()")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.folder / path)
    cockpit = window.open(path)
    cockpit.run_all()
    cockpit.tab("Data").click()
    expect(chosen(cockpit)).to_contain_text("plays")
    yield cockpit
    cockpit.close()


def test_a_dataset_shows_what_is_in_it_and_its_tokenizer_works_both_ways(shown):
    expect(shown.page.locator(".jp-OutputArea-output").first).to_contain_text("raylm prepare RECIPE")
    expect(shown.output.get_by_role("heading", level=2)).to_have_text(f"plays, {HOSTILE}")
    see_sources_and_filters(shown)
    see_lengths(shown)
    see_tokens(shown)
    see_what_is_wrong_with_ids(shown)
    assert shown.page.evaluate("window.hacked") is None
    for theme in THEMES:
        shown.use_theme(theme)
        assert violations(shown.output) == []


def see_sources_and_filters(shown) -> None:
    play, bad = region(shown, "Sources").get_by_role("row").all()[1:]
    expect(play).to_contain_text("public domain")
    expect(play).to_contain_text(re.compile(r"9\d\.\d %"))
    expect(bad.get_by_role("rowheader")).to_have_text(HOSTILE)
    expect(bad.get_by_role("cell").nth(2)).to_have_text("2")  # the duplicate and the text of the exam
    filters = region(shown, "Filters")
    for told in ("1 dropped: 1 exact duplicate", "1 found: 1 email", "1 dropped: 1 evaluation text"):
        expect(filters).to_contain_text(told)
    expect(shown.output.get_by_text("evaluation texts", exact=True).locator("xpath=..")).to_contain_text("1")
    filters.get_by_text("Examples").first.click()
    expect(filters.get_by_text("Hello·🙂·été")).to_be_visible()
    expect(region(shown, "Documents")).to_contain_text("First Citizen:")
    expect(region(shown, "Documents")).to_contain_text(HOSTILE)


def see_lengths(shown) -> None:
    lengths = region(shown, "Lengths")
    name = re.compile("most of them of [0-9]+ to [0-9]+ tokens")
    expect(lengths.get_by_role("img", name=name)).to_be_visible()
    lengths.get_by_label("in", exact=True).select_option("characters")
    expect(lengths.get_by_role("img", name=re.compile("documents kept, .* characters"))).to_be_visible()
    lengths.get_by_label("Table", exact=True).check()
    table = lengths.get_by_role("region", name="Table of lengths")
    expect(table.get_by_role("columnheader")).to_have_text(["Characters", "Read", "Kept"])
    expect(table.get_by_role("row", name="8 to 15")).to_contain_text(re.compile(r"\d"))


def see_tokens(shown) -> None:
    text, ids = (shown.output.get_by_label(name, exact=True) for name in ("Text", "Ids"))
    text.fill(f" the 🙂\n{HOSTILE}")
    expect(tokens(shown).first).to_contain_text("·the")
    expect(region(shown, "Tokenizer")).to_contain_text(f"{len(HOSTILE) + 7} characters")
    expect(tokens(shown).filter(has_text="bytes").first).to_contain_text("F0")
    expect(tokens(shown).filter(has_text="↵")).to_have_count(1)
    given = ids.input_value().split()
    assert len(given) == tokens(shown).count()
    ids.fill(f"0 {given[0]}")
    expect(text).to_have_value("<|endoftext|> the")
    expect(tokens(shown).first).to_contain_text("0 special")


def see_what_is_wrong_with_ids(shown) -> None:
    text, ids = (shown.output.get_by_label(name, exact=True) for name in ("Text", "Ids"))
    problem = region(shown, "Tokenizer").get_by_role("alert")
    ids.fill("0 400")
    expect(problem).to_have_text("400 is no token's id; they go from 0 to 399")
    ids.fill("0 x")
    expect(problem).to_contain_text('"x" is no id')
    expect(ids).to_have_attribute("aria-invalid", "true")
    text.fill("a" * 150_000)
    expect(region(shown, "Tokenizer")).to_contain_text("the first 1,000 are shown")
    expect(problem).to_be_hidden()


def test_the_data_of_a_run_is_shown_where_the_run_is_chosen(shown, learned):
    shown.tab("Monitor").click()
    shown.output.get_by_role("option", name="tiny finished").first.click()
    shown.tab("Data").click()
    expect(shown.output.get_by_text(f"data of {learned.run_id}")).to_be_visible()
    expect(chosen(shown)).to_contain_text("plays")
    expect(shown.output.get_by_text(f"used by {learned.run_id}")).to_be_visible()
    shown.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.shutdown()")
    stale = shown.output.get_by_text(re.compile(r"does not answer. as of \d+ s ago")).filter(visible=True)
    expect(stale).to_be_visible(timeout=60_000)
    expect(shown.button("Retry")).to_be_visible()
    expect(region(shown, "Sources")).to_be_visible()


def region(cockpit, name: str) -> Locator:
    return cockpit.output.get_by_role("region", name=name, exact=True)


def chosen(cockpit) -> Locator:
    datasets = cockpit.output.get_by_role("listbox", name="Datasets")
    return datasets.get_by_role("option", selected=True)


def tokens(cockpit) -> Locator:
    return cockpit.output.get_by_role("list", name="Tokens").get_by_role("listitem")
