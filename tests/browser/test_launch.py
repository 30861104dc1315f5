"""Launch as a person uses it to keep a recipe, and to begin from what an earlier run has learned."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from raylm.recipe import Recipe
from raylm.runs import Run
from raylm.runs.fork import delete
from tests.browser.looking import THEMES, violations
from tests.browser.test_cockpit import message_under, section
from tests.tiny import tiny_recipe, train_alone

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def parent(lab) -> Iterator[Run]:
    run = train_alone(tiny_recipe(train={"max_steps": 10}), lab.storage, "20990104-000000-tiny-0000")
    yield run
    delete(run)


def test_a_recipe_begins_with_a_checkpoint_is_saved_and_replaced_only_when_told(parent, cockpit):
    cockpit.output.get_by_label("from", exact=True).select_option(f"{parent.run_id}@10")
    yaml = cockpit.output.get_by_label("Recipe as YAML")
    # The first check of a model in a folder imports what counts its weights.
    expect(yaml).to_contain_text(f"{parent.uri}@10", timeout=60_000)
    section(cockpit, "Model")
    expect(cockpit.output.get_by_label("Model kind")).to_have_value("pretrained")
    expect(cockpit.field("model.path")).to_have_value(f"{parent.uri}/model")
    section(cockpit, "Train")
    cockpit.field("train.sequence_length").fill("32")  # the model has no more positions
    expect(yaml).to_contain_text("sequence_length: 32")
    cockpit.button("Check").click()
    expect(cockpit.status).to_contain_text("Ready to launch")

    file = cockpit.lab.folder / "notebooks" / "mine.yaml"
    see_where_a_recipe_is_saved(cockpit, file)
    assert getattr(Recipe.load(file).init, "from") == f"{parent.uri}@10"
    expect(cockpit.output.get_by_label("Recipe", exact=True)).to_have_value(str(file))

    section(cockpit, "Train")
    cockpit.field("train.max_steps").fill("77")
    expect(yaml).to_contain_text("max_steps: 77")
    save(cockpit, "mine.yaml")
    expect(cockpit.button("Keep")).to_be_focused()
    cockpit.button("Keep").click()
    assert Recipe.load(file).train.max_steps != 77
    save(cockpit, "mine")
    cockpit.button("Replace").click()
    expect(cockpit.button("Save recipe")).to_be_focused()
    assert Recipe.load(file).train.max_steps == 77


def see_where_a_recipe_is_saved(cockpit, file) -> None:
    cockpit.output.get_by_text("Preview").click()
    expect(cockpit.output.get_by_text(f"Save recipe writes it to {file.parent}")).to_be_visible()
    save(cockpit, "../mine")
    expect(cockpit.output.get_by_role("alert").filter(has_text="cannot name a file")).to_be_visible()
    name = cockpit.output.get_by_label("File name")
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("mine")
    expect(cockpit.output.get_by_text(f"It will be {file}")).to_be_visible()
    for theme in THEMES:
        cockpit.use_theme(theme)
        assert violations(cockpit.output) == []
    name.press("Enter")
    expect(cockpit.status).to_contain_text(f"Saved {file}")


def test_the_recipe_of_a_run_is_the_forms_start(parent, cockpit):
    recipe, start = (cockpit.output.get_by_label(name, exact=True) for name in ("Recipe", "from"))
    first = recipe.input_value()
    start.select_option(parent.run_id)
    section(cockpit, "Train")
    expect(cockpit.field("train.max_steps")).to_have_value("10")
    expect(recipe).to_have_value("")
    expect(cockpit.button("Launch")).to_be_enabled()
    cockpit.field("train.max_steps").fill("none")
    expect(message_under(cockpit.field("train.max_steps"))).to_be_visible()
    expect(cockpit.button("Save recipe")).to_be_disabled()
    start.select_option("")
    expect(recipe).to_have_value(first)
    expect(cockpit.field("train.max_steps")).not_to_have_value("10")


def save(cockpit, name: str) -> None:
    """Send the form that asks for the file's name."""
    cockpit.button("Save recipe").click()
    cockpit.output.get_by_label("File name").fill(name)
    cockpit.button("Save").click()
