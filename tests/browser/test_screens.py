"""The screens as they look: accessible in both themes, safe with hostile text, honest when cut off."""

import math
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from raylm.runs import Lease, MetricsWriter, Run, StepRecord
from raylm.runs.fork import delete
from tests.browser.looking import THEMES, violations

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=window.hacked=1>\u202egnp.exe\u001b[31m"


@pytest.fixture
def written(lab) -> Iterator[Run]:
    """Write runs of several states; returns one that is running, in the hands of this process."""
    runs = {status: write_run(lab.storage, status) for status in ("failed", "finished", "stopped")}
    running = write_run(lab.storage, "running")
    yield running[0]
    for run, lease in [*runs.values(), running]:
        lease.release("stopped")
        delete(run)


def write_run(storage: str, status: str) -> tuple[Run, Lease]:
    run = Run.create(storage, f"20990101-000000-{status}-0000", {"name": f"{status}-run"})
    lease = Lease.acquire(run, run.claim_launch("name: x\n", how="here"))
    attempt = lease.start_attempt()
    writer = MetricsWriter(run, attempt)
    for step in range(1, 301):
        metrics = {
            "train/loss": 1.8 + 2.4 * math.exp(-step / 60) + 0.05 * math.sin(step * 7),
            "train/learning_rate": 1e-3 * step / 300,
            "train/grad_norm": 0.7 + 0.1 * math.sin(step),
            "throughput/tokens_per_second": 31_000 + 500 * math.sin(step * 3),
            "memory/peak_bytes": 412e6,
        }
        if step % 50 == 0:
            metrics["eval/loss"] = 1.85 + 2.3 * math.exp(-step / 60)
        writer.append(StepRecord(step, attempt, step * 768, 1_700_000_000 + step / 4, metrics))
    writer.close()
    run.emit("rank0", "checkpoint_saved", step=250)
    run.emit("rank0", "failed", reason=HOSTILE)
    run.folder.write("logs/driver-l1.log", f"step 300\n{HOSTILE}\n".encode())
    lease.update(step=300, max_steps=1000)
    if status != "running":
        lease.release(status, HOSTILE if status == "failed" else "")
    return run, lease


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_serious_stands_in_the_way_of_assistive_technology(cockpit, written, theme):
    cockpit.use_theme(theme)
    cockpit.output.get_by_label("Advanced").check()
    for link in cockpit.output.get_by_role("navigation").get_by_role("link").all():
        link.click()
        assert violations(cockpit.output) == []
    cockpit.output.get_by_role("link", name="Evaluate").click()
    cockpit.field("evaluate.every_steps").fill("none")
    cockpit.output.get_by_text("Preview").click()
    assert violations(cockpit.output) == []

    cockpit.tab("Monitor").click()
    expect(cockpit.chart).to_have_attribute("aria-label", re.compile("at step 300"))
    assert violations(cockpit.output) == []
    cockpit.labelled("Table").check()
    assert violations(cockpit.output) == []


def test_every_run_is_listed_with_its_state_in_words(cockpit, written):
    cockpit.tab("Monitor").click()
    for status in ("running", "finished", "failed", "stopped"):
        expect(cockpit.output.get_by_role("option", name=f"{status}-run {status}")).to_be_visible()


def test_hostile_text_is_shown_as_text(cockpit, written):
    cockpit.tab("Monitor").click()
    cockpit.output.get_by_role("option", name="failed-run").click()
    for place in (
        cockpit.status,
        cockpit.labelled("Events"),
        cockpit.labelled("Log"),
    ):
        expect(place).to_contain_text("<img src=x onerror=window.hacked=1>gnp.exe")
    assert cockpit.page.evaluate("window.hacked") is None


def test_arrow_keys_choose_runs(cockpit, written):
    cockpit.tab("Monitor").click()
    runs = cockpit.output.get_by_role("listbox", name="Runs")
    heading = cockpit.output.get_by_role("heading", level=2)
    expect(runs.get_by_role("option", selected=True)).to_have_count(1)
    first = heading.text_content()
    runs.focus()
    cockpit.page.keyboard.press("ArrowDown")
    expect(heading).not_to_have_text(first)
    cockpit.page.keyboard.press("ArrowUp")
    expect(heading).to_have_text(first)


def test_a_dead_kernel_leaves_the_numbers_marked_with_their_age(cockpit, written):
    cockpit.tab("Monitor").click()
    expect(cockpit.chart).to_have_attribute("aria-label", re.compile("at step 300"))
    cockpit.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.shutdown()")
    expect(cockpit.status.get_by_text(re.compile(r"as of .* ago"))).to_be_visible(timeout=30_000)
    expect(cockpit.output.get_by_role("alert")).to_contain_text("The kernel does not answer", timeout=60_000)
    expect(cockpit.button("Retry")).to_be_visible()
    expect(cockpit.chart).to_be_visible()
