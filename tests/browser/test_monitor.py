"""Monitor with runs that were really trained: several in one chart, and one that failed."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Route, expect

from raylm.config.errors import RunFailed
from raylm.runs import Lease, MetricsWriter, Run, StepRecord
from raylm.runs.fork import delete
from tests.browser.looking import THEMES, violations
from tests.browser.window import Lab, Shell, Window
from tests.tiny import tiny_recipe, train_alone

pytestmark = pytest.mark.browser
STEPS = 30
DIVERGING = {"learning_rate": 9.0, "weight_decay": 0.99}  # the weights grow eightfold at each step


@pytest.fixture(scope="module")
def trained(lab: Lab) -> Iterator[list[Run]]:
    """Train two runs that finish and one that fails; the one that failed is the newest."""
    runs = [
        train_alone(named(name, optimizer={"learning_rate": rate}), lab.storage, run_id(name))
        for name, rate in (("calm", 3e-3), ("eager", 1e-2))
    ]
    with pytest.raises(RunFailed):
        train_alone(named("wild", optimizer=DIVERGING), lab.storage, run_id("wild"))
    runs.append(Run.open(lab.storage, run_id("wild")))
    yield runs
    for run in runs:
        delete(run)


def named(name: str, **sections: dict):
    recipe = tiny_recipe(
        train={"max_steps": STEPS}, schedule={"kind": "constant"}, evaluate={"every_steps": 10}, **sections
    )
    return recipe.model_copy(update={"name": name})


def run_id(name: str) -> str:
    order = ("calm", "eager", "wild").index(name)
    return f"20990101-00000{order}-{name}-0000"


@pytest.fixture(scope="module")
def monitor(lab: Lab, shared_window: Window, trained: list[Run]) -> Iterator[Shell]:
    """Open the cockpit in JupyterLab's main area, on Monitor."""
    shell = Shell(shared_window.new_page(), lab)
    shell.load("&reset")
    shell.open_from_launcher()
    shell.tab("Monitor").click()
    yield shell
    shell.page.close()
    shared_window.check()


def test_a_failed_run_shows_its_cause_and_what_mends_it(monitor):
    option(monitor, "wild").click()
    expect(monitor.status).to_contain_text("failed")
    terms, texts = monitor.status.get_by_role("term"), monitor.status.get_by_role("definition")
    expect(terms).to_have_text(["Cause", "Mend"])
    expect(texts.first).to_have_text(re.compile(r"step \d+: .* is not (a )?finite"))
    expect(texts.last).to_have_text(re.compile("lower optimizer.learning_rate"))
    expect(monitor.button("Resume")).to_be_enabled()
    look(monitor)
    option(monitor, "calm").click()
    expect(terms).to_have_count(0)


def test_runs_are_laid_into_one_chart(monitor):
    option(monitor, "calm").click()
    expect(monitor.chart).to_have_attribute(
        "aria-label", re.compile(r"^Chart of the loss: train .* at step 30")
    )
    expect(keys(monitor)).to_have_count(1)

    tick(option(monitor, "eager"))
    expect(monitor.chart).to_have_attribute(
        "aria-label",
        re.compile(r"^Chart of the loss of 2 runs: calm: train .* eval .*; eager: train .* eval"),
    )
    expect(keys(monitor)).to_contain_text(["calm", "eager"])
    assert len({line_of(key) for key in keys(monitor).all()}) == 2, "told apart by more than the colour"
    look(monitor)

    option(monitor, "wild").click()
    monitor.output.get_by_role("listbox", name="Runs").focus()
    monitor.page.keyboard.press(" ")
    expect(option(monitor, "wild")).to_have_attribute("aria-checked", "true")
    expect(keys(monitor)).to_contain_text(["wild", "eager"])
    option(monitor, "calm").click()
    expect(keys(monitor)).to_contain_text(["calm", "eager", "wild"])
    monitor.output.get_by_label("Log scale").check()
    look(monitor)
    monitor.output.get_by_label("Log scale").uncheck()
    monitor.button("Take wild out of the chart").click()
    expect(keys(monitor)).to_contain_text(["calm", "eager"])
    untick(monitor, "eager")
    expect(keys(monitor)).to_have_count(1)


def test_the_table_has_every_curve_of_the_chart_over_steps_tokens_and_time(monitor):
    option(monitor, "calm").click()
    tick(option(monitor, "eager"))
    expect(keys(monitor)).to_have_count(2)
    monitor.labelled("Table").check()
    table = monitor.output.get_by_role("region", name="Table of the curve")
    heads = ["calm eval loss", "calm train loss", "eager eval loss", "eager train loss"]
    for axis, first in (("step", "30"), ("tokens", r"\d,\d{3}"), ("time", r"\d+ s")):
        monitor.output.get_by_label("over", exact=True).select_option(label=axis)
        titles = table.get_by_role("columnheader").all_text_contents()
        assert sorted(titles) == sorted([axis.capitalize(), *heads])
        newest = table.get_by_role("row").nth(1).get_by_role("cell")
        expect(newest.first).to_have_text(re.compile(f"^{first}$"))
    monitor.output.get_by_label("over", exact=True).select_option(label="step")
    expect(table.get_by_role("row")).to_have_count(STEPS + 1)
    expect(table.get_by_role("row").nth(1).get_by_role("cell")).to_have_text([re.compile(r"\d")] * 5)
    assert violations(monitor.output) == []

    monitor.output.get_by_label("Measure", exact=True).select_option(label="Gradient norm")
    assert "calm train grad norm" in table.get_by_role("columnheader").all_text_contents()
    monitor.labelled("Table").uncheck()
    expect(monitor.chart).to_have_attribute("aria-label", re.compile("^Chart of the gradient norm of 2 runs"))
    monitor.output.get_by_label("over", exact=True).select_option(label="time")
    look(monitor)
    monitor.output.get_by_label("over", exact=True).select_option(label="step")
    monitor.output.get_by_label("Measure", exact=True).select_option(label="Loss")
    untick(monitor, "eager")


def test_a_gap_is_told_and_what_is_written_appears(monitor, trained):
    run = trained[0]
    option(monitor, "calm").click()
    writer = MetricsWriter(run, 1)
    for step in (STEPS + 1, STEPS + 2, STEPS + 9, STEPS + 10):
        loss = float("nan") if step == STEPS + 2 else 2.0
        writer.append(StepRecord(step, 1, step * 256, 4e9 + step, {"train/loss": loss}))
    writer.close()
    monitor.page.mouse.move(0, 0)
    option(monitor, "calm").hover()  # asks at once
    expect(monitor.chart).to_have_attribute(
        "aria-label", re.compile(r"train 2\.0+ at step 40 \(2 gaps\)"), timeout=30_000
    )
    look(monitor)


def test_a_run_that_is_not_among_the_newest_is_found_and_shown_by_every_screen(monitor, trained):
    calm = trained[0]
    option(monitor, "wild").click()
    monitor.page.route("**/raylm/api/runs", without(calm))
    option(monitor, "wild").hover()
    expect(option(monitor, "calm")).to_have_count(0)
    monitor.labelled("Filter runs").fill("calm and wild")
    expect(monitor.output.get_by_text("No run matches calm and wild.")).to_be_visible()
    monitor.labelled("Filter runs").fill("calm")
    option(monitor, "calm").click()
    heading = monitor.output.get_by_role("heading", level=2)
    expect(heading).to_have_text(calm.run_id)
    monitor.tab("Checkpoints").click()
    expect(heading).to_have_text(calm.run_id)
    expect(monitor.output.locator(f'tr[data-step="{STEPS}"]')).to_be_visible()
    monitor.page.unroute_all(behavior="wait")
    monitor.tab("Monitor").click()
    monitor.labelled("Filter runs").fill("")
    expect(option(monitor, "wild")).to_be_visible()


def test_where_there_is_no_such_run_another_can_be_chosen(monitor, trained):
    gone = "20990101-000000-gone-0000"
    monitor.page.evaluate(f"jupyterapp.commands.execute('raylm:open', {{runId: '{gone}'}}).then(() => null)")
    for screen in ("Monitor", "Checkpoints"):
        monitor.tab(screen).click()
        expect(monitor.output.get_by_role("alert")).to_contain_text(gone)
        assert violations(monitor.output) == []
    option(monitor, "eager").click()
    expect(monitor.output.get_by_role("heading", level=2)).to_have_text(trained[1].run_id)
    monitor.tab("Monitor").click()
    expect(monitor.output.get_by_role("heading", level=2)).to_have_text(trained[1].run_id)
    expect(monitor.output.get_by_role("alert")).to_have_count(0)


def test_the_playground_asks_again_what_a_run_can_do_when_nobody_answered(monitor, trained):
    asked = []
    monitor.page.route("**/raylm/api/playground", lambda route: (asked.append(route), route.abort()), times=1)
    monitor.tab("Playground").click()
    expect(monitor.button("Generate")).to_be_enabled()
    assert asked, "the first question was lost"
    monitor.tab("Monitor").click()


def test_a_long_run_is_counted_and_its_end_is_told_however_many_began_since(monitor, lab):
    run = Run.create(lab.storage, "20990101-000000-long-0000", {"name": "long"})
    lease = Lease.acquire(run, run.claim_launch("name: long\n", how="here"))
    monitor.page.route("**/raylm/api/runs", without(run))
    look_again = "window.dispatchEvent(new Event('focus'))"
    monitor.page.evaluate(look_again)
    expect(monitor.page.get_by_role("button", name="RayLM: 1 running")).to_be_visible()
    lease.release("stopped")
    monitor.page.evaluate(look_again)
    expect(monitor.page.get_by_text("long stopped at step 0")).to_be_visible()
    expect(monitor.page.get_by_role("button", name="RayLM: 0 running")).to_be_visible()
    monitor.page.unroute_all(behavior="wait")
    delete(run)


def without(run: Run) -> Callable[[Route], None]:
    """List the runs as if there were so many newer ones that this one has no place."""

    def answer(route: Route) -> None:
        response = route.fetch()
        found = response.json()["result"]
        if not {"search", "is_live"} & set(route.request.post_data_json):
            found = [row for row in found if row["run_id"] != run.run_id]
        route.fulfill(response=response, json={"result": found})

    return answer


def option(shell: Shell, name: str) -> Locator:
    return shell.output.get_by_role("option", name=name)


def tick(run: Locator) -> None:
    run.locator(".raylm-tick").click()


def untick(shell: Shell, name: str) -> None:
    """Take a run out of the chart, where it is ticked."""
    expect(option(shell, name)).to_have_attribute("aria-checked", "true")
    tick(option(shell, name))
    expect(option(shell, name)).to_have_attribute("aria-checked", "false")


def keys(shell: Shell) -> Locator:
    return shell.output.get_by_role("list", name="Curves").get_by_role("listitem")


def line_of(key: Locator) -> str:
    return key.locator("path").first.get_attribute("stroke-dasharray")


def look(shell: Shell) -> None:
    """Axe in both themes."""
    for theme in THEMES:
        shell.use_theme(theme)
        assert violations(shell.output) == []
    shell.use_theme("Light")
