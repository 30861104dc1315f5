"""The playground as a person uses it: one prompt, two checkpoints, text as it is written."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from raylm.runs import Run
from raylm.runs.fork import delete
from tests.browser.looking import THEMES, violations
from tests.browser.test_cockpit import message_under
from tests.families import family_recipe
from tests.tiny import tiny_recipe, train_alone

pytestmark = pytest.mark.browser
LOADED_MS = 60_000  # a process starts, imports torch and reads the weights


@pytest.fixture(scope="module")
def trained(lab) -> Iterator[dict[str, Run]]:
    """Train a GPT with two checkpoints, which is the newest run, and a RoBERTa."""
    gpt = tiny_recipe(train={"max_steps": 10})
    runs = {
        "roberta": train_alone(
            family_recipe("roberta", train={"max_steps": 5}), lab.storage, "20980101-000000-roberta-0000"
        ),
        "gpt": train_alone(gpt, lab.storage, "20990101-000000-gpt-0000"),
    }
    yield runs
    for run in runs.values():
        delete(run)


@pytest.fixture
def playground(cockpit, trained):
    """Return the cockpit with the playground in front, the GPT chosen in A."""
    cockpit.tab("Playground").click()
    expect(cockpit.output.get_by_label("Run A")).to_have_value(trained["gpt"].run_id)
    expect(cockpit.field("temperature")).to_be_visible()
    return cockpit


def choose(cockpit, column: str, run: Run, step: int | None = None) -> None:
    cockpit.output.get_by_label(f"Run {column}").select_option(run.run_id)
    if step is not None:
        cockpit.output.get_by_label(f"Step {column}").select_option(str(step))


def column(cockpit, name: str) -> Locator:
    return cockpit.output.get_by_role("region", name=f"Column {name}")


def text(cockpit, name: str) -> Locator:
    return cockpit.output.get_by_role("region", name=f"Text {name}")


def prompt(cockpit) -> Locator:
    return cockpit.output.get_by_label("Prompt", exact=True)


def test_text_streams_from_two_checkpoints_side_by_side_until_interrupted(playground, trained):
    choose(playground, "A", trained["gpt"], 5)
    choose(playground, "B", trained["gpt"], 10)
    prompt(playground).fill("ROMEO:\n")
    playground.field("temperature").fill("0")
    playground.field("max_new_tokens").fill("100000")
    expect(playground.button("Generate")).to_be_enabled()
    playground.button("Generate").click()
    for name in ("A", "B"):
        status = column(playground, name).get_by_role("status")
        expect(status).to_contain_text("writing", timeout=LOADED_MS)
        expect(status).to_contain_text("tokens/s")
        expect(text(playground, name)).to_contain_text("ROMEO:")
    lengths = [len(text(playground, name).text_content()) for name in ("A", "B")]
    for name, length in zip(("A", "B"), lengths, strict=True):
        expect(text(playground, name)).to_have_text(re.compile(rf"^[\s\S]{{{length + 5},}}$"))

    expect(playground.button("Generate")).to_be_disabled()
    playground.button("Interrupt").click()
    for name in ("A", "B"):
        expect(column(playground, name).get_by_role("status")).to_contain_text("interrupted")
    expect(playground.button("Interrupt")).to_be_hidden()
    expect(playground.button("Generate")).to_be_enabled()


def test_control_and_enter_generate_and_leave_the_notebook_alone(playground):
    playground.field("max_new_tokens").fill("8")
    prompt(playground).fill("ROMEO:")
    executed = playground.page.locator(".jp-InputPrompt").last.text_content()
    prompt(playground).press("Control+Enter")
    status = column(playground, "A").get_by_role("status")
    expect(status).to_contain_text("done", timeout=LOADED_MS)
    expect(status).to_contain_text("8 tokens")
    # Not `to_have_text`, which folds white space.
    said = text(playground, "A").locator("[aria-live=polite]").text_content()
    assert said
    assert text(playground, "A").locator(".raylm-text").text_content() == f"ROMEO:{said}"
    expect(playground.page.locator(".jp-InputPrompt").last).to_have_text(executed)
    expect(prompt(playground)).to_be_focused()


def test_a_wrong_temperature_is_told_under_its_field(playground):
    temperature = playground.field("temperature")
    for wrong, says in (("11", "<= 10"), ("hot", "must be a number")):
        temperature.fill(wrong)
        expect(message_under(temperature)).to_contain_text(says)
        expect(temperature).to_have_attribute("aria-invalid", "true")
        expect(playground.button("Generate")).to_be_disabled()
        temperature.fill("1")
        expect(message_under(temperature)).to_be_hidden()
        expect(playground.button("Generate")).to_be_enabled()


def test_masks_show_their_candidates_and_a_prompt_without_one_says_so(playground, trained):
    choose(playground, "A", trained["roberta"])
    expect(playground.field("temperature")).to_be_hidden()
    playground.field("top_predictions").fill("3")
    prompt(playground).fill("to be or not")
    playground.button("Generate").click()
    status = column(playground, "A").get_by_role("status")
    expect(status).to_contain_text("holds no mask", timeout=LOADED_MS)
    prompt(playground).fill("to be or not to [MASK]")
    playground.button("Generate").click()
    expect(status).to_contain_text("done")
    expect(text(playground, "A").get_by_role("listitem")).to_have_count(3)
    expect(text(playground, "A").get_by_role("listitem").first).to_contain_text("%")


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_serious_stands_in_the_way_of_assistive_technology(playground, trained, theme):
    playground.use_theme(theme)
    choose(playground, "B", trained["roberta"])
    assert violations(playground.output) == []
    playground.field("max_new_tokens").fill("30")
    prompt(playground).fill("to be or not to [MASK]")
    playground.button("Generate").click()
    for name in ("A", "B"):
        expect(column(playground, name).get_by_role("status")).to_contain_text("done", timeout=LOADED_MS)
    playground.field("temperature").fill("11")
    expect(message_under(playground.field("temperature"))).to_be_visible()
    assert violations(playground.output) == []
