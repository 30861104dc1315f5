"""A run seen from several places, and from none: what a person closes or restarts does not touch it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import nbformat
import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as Slow

from raylm.api.launch import launch, stop
from raylm.runs import Run
from raylm.runs.fork import delete
from tests.browser.looking import violations
from tests.browser.window import ROOT, SLOW_MS, Cockpit, Shell
from tests.tiny import tiny_recipe

pytestmark = pytest.mark.browser


@pytest.fixture
def live(lab) -> Iterator[Run]:
    """Start a run as the cockpit does, in a process of its own; it is the newest."""
    recipe = tiny_recipe(train={"max_steps": 100_000}, checkpoint={"every_steps": 50_000})
    run = launch(recipe, "20990201-000000-journey-0000", lab.storage)
    yield run
    stop(run)
    delete(run)


def test_a_run_outlives_the_jupyter_server_and_its_tab_shows_all_of_it_again(shell: Shell, live: Run):
    shell.open_from_launcher()
    shell.tab("Monitor").click()
    expect(shell.status).to_contain_text(re.compile(r"running.*step [1-9]"), timeout=SLOW_MS)
    dialog = shell.page.locator(".jp-Dialog")  # JupyterLab's own word that its server is gone
    shell.page.add_locator_handler(dialog, dialog.locator("button").last.click)

    shell.lab.server.end()
    expect(shell.output.get_by_role("alert")).to_contain_text("The Jupyter server does not answer")
    stale = shell.status.get_by_text(re.compile(r"as of .* ago"))
    expect(stale).to_be_visible()
    before = live.status().step
    shell.lab.server.start()
    assert live.status().status == "running"

    with suppress(Slow):  # it may have asked again by itself
        shell.button("Retry").click(timeout=5_000)
    expect(shell.output.get_by_role("alert")).to_have_count(0, timeout=SLOW_MS)
    expect(stale).to_be_hidden(timeout=SLOW_MS)
    assert step_of(shell.status.text_content()) > before, "the run went on without the server"
    shell.labelled("Table").check()
    rows = shell.output.get_by_role("region", name="Table of the curve").get_by_role("row")
    expect(rows.last.get_by_role("cell").first).to_have_text(re.compile(r"^[1-9]\d?$"))


def test_a_run_that_is_stopped_in_notebook_7_is_stopped_in_jupyterlab_too(cockpit: Cockpit, live: Run):
    cockpit.tab("Monitor").click()
    expect(cockpit.status).to_contain_text(re.compile(r"running.*step [1-9]"), timeout=SLOW_MS)
    with notebook_7(cockpit) as other:
        other.run_all()
        assert violations(other.output) == []
        other.tab("Monitor").click()
        expect(other.output.get_by_role("heading", level=2)).to_have_text(live.run_id)
        expect(other.chart).to_have_attribute("aria-label", re.compile("train .* at step"))
        expect(other.status).to_contain_text("running")
        other.button("Stop").click()
        expect(other.status).to_contain_text("stopped", timeout=SLOW_MS)
    expect(cockpit.status).to_contain_text("stopped")
    expect(cockpit.button("Resume")).to_be_enabled()
    assert live.status().status == "stopped"


@contextmanager
def notebook_7(cockpit: Cockpit) -> Iterator[Cockpit]:
    """Open the first notebook's cockpit in Notebook 7, in another tab of the same browser."""
    lab = cockpit.lab
    path = "notebooks/in_notebook_7.ipynb"
    notebook = nbformat.read(ROOT / "notebooks" / "01_first_run.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id in ("cell-02", "cell-12")]
    nbformat.write(notebook, lab.folder / path)
    page = cockpit.page.context.new_page()
    page.goto(f"{lab.url}/notebooks/{path}?token={lab.token}", timeout=SLOW_MS)
    page.wait_for_function("window.jupyterapp !== undefined", timeout=SLOW_MS)
    assert "JupyterLab" not in page.title()
    yield Cockpit(page, lab)
    shut_down(page)


def shut_down(page: Page) -> None:
    page.evaluate("jupyterapp.shell.currentWidget?.sessionContext?.shutdown()")
    page.close()


def step_of(status: str | None) -> int:
    found = re.search(r"step ([\d,]+)", status or "")
    assert found, status
    return int(found[1].replace(",", ""))
