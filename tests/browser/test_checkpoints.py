"""The Checkpoints panel as a person uses it, on a run that was really trained."""

import contextlib
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from raylm.config.errors import BadInput
from raylm.runs import Run
from raylm.runs.catalogue import list_runs
from raylm.runs.fork import delete
from tests.browser.looking import THEMES, violations
from tests.tiny import tiny_recipe, train_alone

pytestmark = pytest.mark.browser
RUN_ID = "20990101-000000-tiny-0000"


@pytest.fixture
def trained(lab) -> Iterator[Run]:
    """Train a run with three checkpoints; forget it and its forks at the end."""
    recipe = tiny_recipe(train={"max_steps": 15}, evaluate={"every_steps": 5})
    run = train_alone(recipe, lab.storage, RUN_ID)
    yield run
    for child in forks(lab):
        with contextlib.suppress(BadInput):  # what a failed test left running is ended with the session
            delete(child)
    with contextlib.suppress(BadInput):
        delete(run)


@pytest.fixture
def shown(trained, cockpit):
    """Open the panel on the run."""
    cockpit.tab("Checkpoints").click()
    expect(cockpit.output.get_by_role("heading", level=2)).to_have_text(RUN_ID)
    expect(row(cockpit, 15)).to_be_visible()
    return cockpit


def test_checkpoints_are_listed_newest_first_and_two_are_compared(shown):
    rows = shown.output.get_by_role("region", name="Checkpoints").get_by_role("row")
    expect(rows).to_have_count(4)
    expect(rows.nth(1)).to_contain_text("15")
    expect(rows.nth(1)).to_contain_text("unverified")
    expect(shown.button("Compare")).to_be_disabled()
    check(shown, 15)
    check(shown, 5)
    shown.button("Compare").click()
    comparison = shown.output.get_by_role("region", name="Comparison")
    expect(comparison.get_by_role("columnheader", name="tiny · step 5")).to_be_visible()
    loss = comparison.get_by_role("row", name=re.compile(r"^Eval loss [\d.]+"))
    expect(loss).to_contain_text("\N{MINUS SIGN}")  # the later one has learnt
    expect(comparison.get_by_role("row", name="Step 5 15 +10")).to_be_visible()
    shown.button("Close comparison").click()
    expect(comparison).to_be_hidden()
    expect(shown.button("Compare")).to_be_focused()


def test_verify_reads_every_byte_and_says_what_it_found(shown, trained):
    check(shown, 10)
    shown.button("Verify").click()
    expect(shown.status).to_contain_text("Step 10 is good")
    expect(row(shown, 10)).to_contain_text("good")
    folder = trained.checkpoints.open(10)
    name = next(name for name in folder.names() if name.endswith(".distcp"))
    folder.write(name, bytes(folder.size(name)))
    shown.button("Verify").click()
    expect(shown.status).to_contain_text("Step 10 is bad")
    expect(row(shown, 10)).to_contain_text("bad")
    expect(shown.button("Fork")).to_be_disabled()


def test_a_fork_leads_to_a_live_run_in_monitor(shown, lab):
    check(shown, 10)
    shown.button("Fork").click()
    name, changes = shown.output.get_by_label("New run's name"), shown.output.get_by_label("Changed fields")
    expect(name).to_be_focused()
    name.fill("branch")
    changes.fill("train.max_step=9")
    shown.button("Start fork").click()
    expect(shown.output.get_by_role("alert").filter(has_text="max_steps")).to_be_visible()
    assert forks(lab) == []

    changes.fill("train.max_steps=100000\noptimizer.learning_rate=1e-4")
    shown.button("Start fork").dblclick()
    expect(shown.tab("Monitor")).to_have_attribute("aria-selected", "true", timeout=60_000)
    expect(shown.output.get_by_role("heading", level=2)).to_have_text(re.compile("-branch-"))
    expect(shown.status).to_contain_text(re.compile(r"running.*step [1-9]"), timeout=90_000)
    shown.button("Stop").click()
    expect(shown.status).to_contain_text("stopped", timeout=60_000)
    [child] = forks(lab)
    assert "learning_rate: 0.0001" in child.recipe_yaml()

    shown.tab("Checkpoints").click()
    expect(shown.output.get_by_role("heading", level=2)).to_have_text(child.run_id)
    shown.output.get_by_role("option", name="tiny finished").click()
    expect(row(shown, 10).get_by_title(child.run_id)).to_contain_text("branch-")
    check(shown, 10)
    shown.button("Delete").click()
    expect(shown.status).to_contain_text(f"Step 10 stays: {child.run_id} began with it")
    expect(shown.button("Delete for good")).to_have_count(0)


def test_a_finished_run_resumes_up_to_a_later_step(shown, trained):
    shown.button("Resume").click()
    shown.output.get_by_role("textbox", name="Up to step").fill("20")
    shown.button("Start again").click()
    expect(shown.tab("Monitor")).to_have_attribute("aria-selected", "true", timeout=60_000)
    expect(shown.status).to_contain_text(re.compile("finished.*step 20"), timeout=90_000)
    shown.tab("Checkpoints").click()
    expect(row(shown, 20)).to_be_visible()


def test_an_export_asks_for_a_folder_and_says_where_it_is(shown, lab):
    check(shown, 5)
    shown.button("Export").click()
    folder = shown.output.get_by_label("Folder")
    folder.fill(".")
    shown.button("Start export").click()
    expect(shown.output.get_by_role("alert").filter(has_text="is not empty")).to_be_visible()
    folder.fill("exported")
    shown.button("Start export").click()
    expect(shown.status).to_contain_text("Exporting step 5")
    expect(shown.status).to_contain_text("Exported step 5", timeout=90_000)
    assert (lab.folder / "notebooks/exported/model.safetensors").exists()


def test_delete_asks_and_deletes_only_on_confirmation(shown, trained):
    check(shown, 5)
    shown.button("Delete").click()
    expect(shown.button("Keep")).to_be_focused()
    shown.button("Keep").click()
    expect(row(shown, 5)).to_be_visible()
    assert trained.checkpoints.steps() == [5, 10, 15]
    shown.button("Delete").click()
    shown.button("Delete for good").click()
    expect(shown.status).to_contain_text("Deleted step 5")
    expect(row(shown, 5)).to_have_count(0)
    assert trained.checkpoints.steps() == [10, 15]


def test_the_keyboard_reaches_everything_and_the_notebook_takes_none_of_it(shown):
    cells = shown.page.locator(".jp-Notebook .jp-Cell").count()
    box = shown.output.get_by_role("checkbox", name="Step 10", exact=True)
    box.focus()
    for key in ("Space", "x", "b"):  # cut a cell, add one: what they mean to a notebook
        shown.page.keyboard.press(key)
    expect(box).to_be_checked()
    shown.button("Fork").focus()
    shown.page.keyboard.press("Enter")
    expect(shown.output.get_by_label("New run's name")).to_be_focused()
    shown.page.keyboard.press("Escape")
    expect(shown.button("Fork")).to_be_focused()
    assert shown.page.locator(".jp-Notebook .jp-Cell").count() == cells


def test_a_run_chosen_in_monitor_is_followed_and_the_tab_stays(shown, trained, lab):
    other = train_alone(tiny_recipe(train={"max_steps": 5}), lab.storage, "20980101-000000-other-0000")
    shown.tab("Monitor").click()
    option(shown, other).click()
    expect(shown.output.get_by_role("heading", level=2)).to_have_text(other.run_id)
    expect(shown.tab("Monitor")).to_have_attribute("aria-selected", "true")
    shown.tab("Checkpoints").click()
    expect(shown.output.get_by_role("heading", level=2)).to_have_text(other.run_id)
    option(shown, trained).click()
    expect(shown.output.get_by_role("heading", level=2)).to_have_text(RUN_ID)
    time.sleep(1)  # a switch would have come by now
    expect(shown.tab("Checkpoints")).to_have_attribute("aria-selected", "true")
    delete(other)


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_serious_stands_in_the_way_of_assistive_technology(shown, theme):
    shown.use_theme(theme)
    check(shown, 15)
    check(shown, 10)
    shown.button("Compare").click()
    expect(shown.output.get_by_role("region", name="Comparison")).to_be_visible()
    assert violations(shown.output) == []
    shown.output.get_by_role("checkbox", name="Step 10", exact=True).uncheck()
    for name in ("Fork", "Export", "Delete", "Resume"):
        shown.button(name).click()
        expect(shown.output.locator("form")).to_be_visible()
        assert violations(shown.output) == []
        shown.page.keyboard.press("Escape")


def check(cockpit, step: int) -> None:
    cockpit.output.get_by_role("checkbox", name=f"Step {step}", exact=True).check()


def option(cockpit, run: Run):
    return cockpit.output.locator(f'[role="option"][title="{run.run_id}"]:visible')


def row(cockpit, step: int):
    return cockpit.output.locator(f'tr[data-step="{step}"]')


def forks(lab) -> list[Run]:
    return [run for run in list_runs([lab.storage]) if run.header().get("parent")]
