"""JupyterLab with no notebook and no kernel: the cockpit from the launcher, and what is always in sight."""

import json
import re

import pytest
from playwright.sync_api import Request, Route, expect

from raylm.runs.catalogue import list_runs
from tests.browser.looking import THEMES, violations
from tests.browser.window import SLOW_MS, Lab, Shell
from tests.tiny import QUESTION, SMALLEST

pytestmark = pytest.mark.browser
TINY = {
    **SMALLEST,
    "name": "tiny-without-kernel",
    "data": {"sources": [{"kind": "text", "path": "tiny.txt"}]},
    "train": {**SMALLEST["train"], "max_steps": 100_000},
}


@pytest.fixture
def shell(shell: Shell, lab: Lab) -> Shell:
    """Put a recipe where the cockpit's form finds it first."""
    (lab.folder / "tiny.txt").write_text(QUESTION)
    (lab.folder / "tiny.yaml").write_text(json.dumps(TINY))
    return shell


def test_a_run_is_launched_watched_and_stopped_with_no_kernel(shell):
    kernels, before = num_kernels(shell), list_runs([shell.lab.storage])
    shell.open_from_launcher()
    expect(shell.button("Launch")).to_be_enabled(timeout=SLOW_MS)
    shell.page.route("**/raylm/api/launch", lose_the_answer, times=1)
    shell.button("Launch").click()
    expect(shell.status).to_contain_text("Press Launch again; nothing starts twice", timeout=SLOW_MS)
    shell.button("Launch").click()
    expect(shell.tab("Monitor")).to_have_attribute("aria-selected", "true", timeout=SLOW_MS)
    expect(shell.status).to_contain_text(re.compile(r"running.*step [1-9]"), timeout=90_000)
    expect(shell.chart).to_have_attribute("aria-label", re.compile("train .* at step"))
    expect(shell.page.get_by_role("button", name="RayLM: 1 running")).to_be_visible()

    shell.show_side()
    card = shell.side.get_by_role("listitem").filter(has_text=TINY["name"]).first
    expect(card).to_contain_text("running")
    expect(card).to_contain_text(re.compile(r"loss \d"))

    shell.load()  # the layout comes back, the run never went
    expect(shell.status).to_contain_text("running", timeout=SLOW_MS)
    expect(shell.tab("Monitor")).to_have_attribute("aria-selected", "true")
    shell.show_side()
    card.get_by_role("button", name="Stop").click()
    expect(shell.status).to_contain_text("stopped", timeout=60_000)
    expect(card).to_contain_text("stopped")
    facts = card.locator(".raylm-fact")
    assert facts.evaluate_all("all => all.map(one => one.getClientRects().length)") == [1] * facts.count()
    expect(shell.page.get_by_text(f"{TINY['name']} stopped at step")).to_be_visible()
    expect(shell.page.get_by_role("button", name="RayLM: 0 running")).to_be_visible()
    newest, *others = list_runs([shell.lab.storage])
    assert newest.status().status == "stopped"
    assert len(others) == len(before)
    assert num_kernels(shell) == kernels


def test_the_commands_are_there_and_new_run_opens_the_form(shell):
    labels = shell.page.evaluate(
        "['raylm:open', 'raylm:new-run'].map(id => jupyterapp.commands.label(id, {}))"
    )
    assert labels == ["RayLM: Open Cockpit", "RayLM: New Run"]
    shell.page.get_by_role("tab", name="RayLM", exact=True).first.click()
    shell.side.get_by_role("button", name="New run").click()
    expect(shell.tab("Launch")).to_have_attribute("aria-selected", "true")
    see_that_texts_are_sent_as_they_stand(shell)
    shell.side.get_by_label("Find a run").fill("no such name")
    expect(shell.side).to_contain_text("No id and no name has no such name in it.")

    cluster = shell.side.get_by_role("region", name="Cluster", exact=True)
    expect(cluster).to_contain_text("not running")
    cluster.get_by_role("button", name="Open Cluster").click()
    expect(shell.tab("Cluster")).to_have_attribute("aria-selected", "true")
    expect(shell.status).to_contain_text("not running")
    expect(shell.button("Start local cluster")).to_be_enabled()


def see_that_texts_are_sent_as_they_stand(shell) -> None:
    kind, answer_start = shell.output.get_by_label("Task kind"), shell.field("task.answer_start")
    shell.output.get_by_label("Advanced").check()
    shell.output.get_by_role("link", name="Task", exact=True).click()
    kind.select_option("sequence_classification")
    with sent(shell, "labels", ["0", "1"]):
        shell.field("task.labels").fill("0, 1,")
    kind.select_option("summarization")
    assert answer_start.input_value() == "\n"
    for text in (" Answer:\n ", ""):
        with sent(shell, "answer_start", text):
            answer_start.fill(text)
    kind.select_option("chat")
    template = "{% for message in messages %}\n{{ message.content }}\n"
    with sent(shell, "chat_template", template):
        shell.field("task.chat_template").evaluate(PASTE, template)
    assert shell.field("task.chat_template").input_value() == template


PASTE = """(field, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text", text);
    field.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
}"""


def sent(shell, field: str, value: object):
    """Wait for a check of a recipe whose task has this value."""

    def has(request: Request) -> bool:
        is_check = request.url.endswith("/raylm/api/check")
        return is_check and request.post_data_json["values"].get("task", {}).get(field) == value

    return shell.page.expect_request(has)


def lose_the_answer(route: Route) -> None:
    """Let the server do what it is asked, and the browser hear nothing of it."""
    route.fetch(timeout=SLOW_MS)
    route.abort()


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_serious_is_wrong_for_assistive_technology(shell, theme):
    shell.use_theme(theme)
    shell.open_from_launcher()
    expect(shell.button("Launch")).to_be_enabled(timeout=SLOW_MS)
    shell.page.get_by_role("tab", name="RayLM", exact=True).first.click()
    expect(shell.side).to_contain_text("live")
    assert violations(shell.page.locator("#raylm-cockpit")) == []
    assert violations(shell.page.locator("#raylm-sidebar")) == []
    shell.tab("Monitor").click()
    expect(shell.tab("Monitor")).to_have_attribute("aria-selected", "true")
    assert violations(shell.page.locator("#raylm-cockpit")) == []
    assert violations(shell.page.locator(".raylm-RunCount")) == []


def test_a_server_that_is_gone_is_told_and_retry_is_offered(shell):
    shell.page.get_by_role("tab", name="RayLM", exact=True).first.click()
    expect(shell.side).to_contain_text("live")
    shell.page.route("**/raylm/api/**", lambda route: route.abort())
    shell.page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(shell.side.get_by_role("alert")).to_contain_text("The Jupyter server does not answer")
    count = shell.page.locator(".raylm-RunCount button")
    expect(count).to_have_text("RayLM: ?")
    expect(count).to_have_attribute("title", "The Jupyter server does not answer.")
    shell.page.unroute("**/raylm/api/**")
    shell.side.get_by_role("button", name="Retry").click()
    expect(shell.side.get_by_role("alert")).to_have_count(0)
    expect(count).to_have_text("RayLM: 0 running")


def test_the_settings_act_and_a_storage_that_is_not_listed_is_refused(shell):
    save_settings(shell, {"storage": "/etc"})
    shell.load()
    shell.show_side()
    expect(shell.side.get_by_role("alert")).to_contain_text("'/etc' is none of your storages")
    save_settings(shell, {"storage": shell.lab.storage})
    shell.load()
    shell.show_side()
    expect(shell.side).to_contain_text("live")
    expect(shell.side.get_by_role("alert")).to_have_count(0)
    save_settings(shell, {})


def save_settings(shell, values: dict) -> None:
    shell.page.evaluate(
        "raw => jupyterapp.serviceManager.settings.save('raylm:cockpit', raw)", json.dumps(values)
    )


def num_kernels(shell) -> int:
    return shell.page.evaluate("fetch('/api/kernels').then(answer => answer.json()).then(all => all.length)")
