"""The Cluster screen as a person uses it: out of reach, with a node lost, and a cluster of one's own."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from raylm.jobs.owned import stop_owned
from tests.browser.looking import THEMES, violations
from tests.dashboards import FakeDashboard, as_ray, job, node

pytestmark = pytest.mark.browser
START_MS = 120_000  # Ray starts, on cores shared with other tests
RUN_ID = "20990101-000000-here-0000"


@pytest.fixture
def screen(cockpit, lab, monkeypatch) -> Iterator:
    """Return the cockpit with the Cluster screen in front; at its end no cluster of the lab's is left."""
    cockpit.tab("Cluster").click()
    yield cockpit
    monkeypatch.setenv("XDG_STATE_HOME", str(Path(lab.storage).parent / "state"))
    stop_owned()


def rows(screen) -> Locator:
    return screen.output.get_by_role("region", name="Nodes").get_by_role("row")


def field(screen, name: str) -> Locator:
    """The visible one: the other tabs' forms have fields of the same names."""
    return screen.output.get_by_role("textbox", name=name, exact=True)


def connect(screen, name: str, address: str) -> None:
    screen.button("Connect").click()
    field(screen, "Name").fill(name)
    field(screen, "Address").fill(address)
    screen.button("Add and connect").click()


def alert(screen) -> Locator:
    return screen.output.get_by_role("alert")


def test_a_cluster_out_of_reach_says_why_and_is_there_once_it_answers(screen, free_port):
    address = f"http://127.0.0.1:{free_port}"
    expect(screen.output.get_by_text("No cluster runs")).to_be_visible()
    connect(screen, "lab", "ray://head:10001")
    expect(alert(screen)).to_contain_text("not the URL of a Ray dashboard")
    field(screen, "Address").fill(address)
    field(screen, "Address").press("Enter")
    expect(alert(screen)).to_contain_text(f"cannot reach {address}")
    expect(alert(screen)).to_contain_text("is the cluster up?")
    assert violations(screen.output) == []

    dashboard = FakeDashboard(free_port)
    try:
        look_at_it(screen, dashboard)
    finally:
        dashboard.close()
    expect(alert(screen)).to_contain_text("cannot reach", timeout=30_000)
    expect(screen.status).to_contain_text(re.compile(r"as of \d+ s ago"))
    expect(rows(screen)).to_have_count(4)  # what was known stays
    screen.button("Remove").click()
    screen.button("Remove it").click()
    expect(screen.output.get_by_text("No cluster runs")).to_be_visible()
    expect(screen.button("Remove")).to_be_hidden()


def look_at_it(screen, dashboard: FakeDashboard) -> None:
    lost = node("worker-2", ended=time.time() - 14, why="Unexpected termination: health check failed")
    dashboard.answer = as_ray([node("head"), node("worker-1", gpus=4), lost], [job(f"{RUN_ID}-l1")])
    screen.button("Retry").click()
    expect(alert(screen)).to_have_count(0)
    expect(screen.status).to_contain_text("2 nodes · 1 lost · CPUs 2 of 8 · GPUs 0.5 of 4")
    expect(rows(screen).nth(2)).to_contain_text(re.compile(r"worker-1.*1 of 4.*38 %.*0\.5 of 4"))
    expect(rows(screen).last).to_contain_text(re.compile(r"worker-2.*lost.*\d+ s ago: Unexpected"))
    for theme in THEMES:
        screen.use_theme(theme)
        assert violations(screen.output) == []
    screen.button(RUN_ID).click()
    expect(screen.tab("Monitor")).to_have_attribute("aria-selected", "true")
    screen.tab("Cluster").click()


def test_a_local_cluster_is_started_and_stopped(screen):
    field(screen, "CPUs").fill("none")
    screen.button("Start local cluster").click()
    expect(alert(screen)).to_contain_text("not a whole number from 1")
    field(screen, "CPUs").fill("1")
    screen.button("Start local cluster").click()
    expect(screen.status).to_contain_text("starting")
    expect(screen.button("Start local cluster")).to_be_disabled()
    expect(screen.status).to_contain_text("CPUs 0 of 1", timeout=START_MS)
    expect(rows(screen)).to_have_count(2)
    screen.button("Stop").click()
    expect(screen.output.get_by_text("No job runs on it.")).to_be_visible()
    screen.button("Keep").click()
    expect(screen.button("Stop")).to_be_focused()
    screen.button("Stop").click()
    screen.button("Stop the cluster").click()
    expect(screen.output.get_by_text("No cluster runs")).to_be_visible(timeout=30_000)
    expect(screen.button("Start local cluster")).to_be_enabled()
