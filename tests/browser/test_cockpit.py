"""The cockpit as a person uses it: launch, watch, stop, come back later."""

import re

import pytest
from playwright.sync_api import expect

from raylm.runs.catalogue import list_runs

pytestmark = pytest.mark.browser

LONG = "100000"  # steps: still running when the test stops it


def test_notebook_one_launches_a_run_whose_curve_moves_until_stopped(window):
    cockpit = window.open("notebooks/01_first_run.ipynb")
    cockpit.run_all()
    launch(cockpit, steps=LONG)
    first = shown_step(cockpit)
    expect(cockpit.chart).to_have_attribute("aria-label", re.compile("train .* at step"))
    assert later_step(cockpit, first) > first

    cockpit.button("Stop").click()
    expect(cockpit.status).to_contain_text("stopped", timeout=60_000)
    expect(cockpit.button("Resume")).to_be_enabled()
    run = list_runs([cockpit.lab.storage])[0]
    assert run.status().status == "stopped"
    assert run.checkpoints.latest_good()[0].step == run.status().step
    cockpit.close()


def test_the_same_run_is_there_with_its_whole_history_after_a_kernel_restart(cockpit):
    launch(cockpit, steps=LONG)
    before = later_step(cockpit, shown_step(cockpit))
    title = cockpit.output.get_by_role("heading", level=2).text_content()

    cockpit.restart_kernel()
    cockpit.run_all()
    cockpit.tab("Monitor").click()
    expect(cockpit.output.get_by_role("heading", level=2)).to_have_text(title)
    expect(cockpit.status).to_contain_text("running")
    assert shown_step(cockpit) >= before, "the run went on without the kernel"
    cockpit.labelled("Table").check()
    rows = cockpit.output.get_by_role("region", name="Table of the curve").get_by_role("row")
    expect(rows.last.get_by_role("cell").first).to_have_text(re.compile(r"^[1-9]\d?$"))

    cockpit.button("Stop").click()
    expect(cockpit.status).to_contain_text("stopped", timeout=60_000)


def test_a_double_click_launches_once(cockpit):
    before = len(list_runs([cockpit.lab.storage]))
    expect(cockpit.button("Launch")).to_be_enabled()
    cockpit.button("Launch").dblclick()
    expect(cockpit.status).to_contain_text("finished", timeout=90_000)
    assert len(list_runs([cockpit.lab.storage])) == before + 1


def test_a_task_that_does_not_fit_disables_launch_until_it_is_taken_out(cockpit):
    section(cockpit, "Task")
    kind = cockpit.output.get_by_label("Task kind")
    expect(kind).to_have_value("")
    expect(cockpit.button("Launch")).to_be_enabled()
    kind.select_option("sequence_classification")
    expect(cockpit.button("Launch")).to_be_disabled()
    expect(cockpit.output.get_by_role("link", name="Objective, 1 to mend")).to_be_visible()
    kind.select_option(label="none")
    expect(cockpit.button("Launch")).to_be_enabled()


def test_a_value_that_cannot_be_disables_launch_and_says_why_under_the_field(cockpit):
    section(cockpit, "Model")
    heads = cockpit.field("model.num_heads")
    heads.fill("three")
    expect(message_under(heads)).to_contain_text("must be a whole number")
    expect(cockpit.button("Launch")).to_be_disabled()

    heads.fill("0")
    expect(message_under(heads)).to_contain_text("0")
    expect(heads).to_have_attribute("aria-invalid", "true")
    expect(cockpit.button("Launch")).to_be_disabled()

    heads.fill("2")
    expect(message_under(heads)).to_be_hidden()
    expect(cockpit.button("Launch")).to_be_enabled()
    cockpit.button("Check").click()
    expect(cockpit.status).to_contain_text("Ready to launch")
    see_that_a_message_goes_with_its_field(cockpit)


def see_that_a_message_goes_with_its_field(cockpit) -> None:
    heads = cockpit.field("model.num_heads")
    heads.fill("three")
    cockpit.output.get_by_label("Model kind").select_option("llama")
    expect(heads).to_have_value("2")
    expect(message_under(heads)).to_be_hidden()
    expect(cockpit.button("Launch")).to_be_enabled()

    section(cockpit, "Data")
    cockpit.button("Add text").click()
    weight = cockpit.field("data.sources.0.weight")
    weight.fill("heavy")
    expect(message_under(weight)).to_contain_text("must be a number")
    cockpit.button("Remove text 2").click()
    expect(weight).to_have_value("")
    expect(message_under(weight)).to_be_hidden()
    expect(cockpit.button("Launch")).to_be_enabled()


def launch(cockpit, steps: str) -> None:
    """Launch the form's recipe with so many steps, and wait until Monitor shows it running."""
    section(cockpit, "Train")
    cockpit.field("train.max_steps").fill(steps)
    expect(cockpit.output.get_by_label("Recipe as YAML")).to_contain_text(f"max_steps: {steps}")
    expect(cockpit.button("Launch")).to_be_enabled()
    cockpit.button("Launch").click()
    expect(cockpit.tab("Monitor")).to_have_attribute("aria-selected", "true")
    expect(cockpit.status).to_contain_text(re.compile(r"running.*step [1-9]"), timeout=90_000)


def section(cockpit, name: str) -> None:
    cockpit.output.get_by_role("link", name=name, exact=True).click()


def message_under(field):
    return field.locator("xpath=ancestor::*[@data-field]").get_by_role("alert")


def shown_step(cockpit) -> int:
    expect(cockpit.status).to_contain_text(re.compile(r"step [1-9]"))
    found = re.search(r"step ([\d,]+)", cockpit.status.text_content())
    return int(found[1].replace(",", ""))


def later_step(cockpit, step: int) -> int:
    expect(cockpit.status).not_to_contain_text(f"step {step:,} of")
    return shown_step(cockpit)
