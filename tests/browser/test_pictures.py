"""No test but a tool: the pictures of docs/, of every screen that the cockpit has, with real runs in it."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from raylm.api.launch import launch, stop
from raylm.jobs.owned import start_owned, stop_owned
from raylm.jobs.ray_head import HeadOptions
from raylm.runs import Run
from raylm.runs.fork import delete
from tests.browser.looking import THEMES, picture, takes_pictures
from tests.browser.window import SLOW_MS, Lab, Shell
from tests.tiny import tiny_recipe, train_alone

pytestmark = pytest.mark.browser
SIZES = ((1280, 860), (1920, 1080))  # pixels
LOADED_MS = 120_000
LEARNED = "shakespeare"  # a run's name
SHAKESPEARE = {
    "model": {"num_layers": 2, "num_heads": 4, "hidden_size": 96, "dropout": 0.0},
    "train": {"max_steps": 500, "sequence_length": 64, "global_batch_size": 16, "micro_batch_size": 16},
    "checkpoint": {"every_steps": 100, "keep_last": 9},
    "evaluate": {"every_steps": 50},
}


@pytest.fixture(scope="module")
def runs(lab: Lab) -> Iterator[dict[str, Run]]:
    """Train runs that are worth looking at, one of which still goes on; first, while nobody looks."""
    begun = {**SHAKESPEARE, "train": {**SHAKESPEARE["train"], "max_steps": 2000}}
    short, learned, longer = (
        tiny_recipe(**sections).model_copy(update={"name": name})
        for name, sections in (("first-try", {}), (LEARNED, SHAKESPEARE), ("shakespeare-longer", begun))
    )
    made = {
        "short": train_alone(short, lab.storage, "20260601-090000-first-try-51ce"),
        "learned": train_alone(learned, lab.storage, "20260601-101500-shakespeare-9c21"),
    }
    made["live"] = launch(longer, "20260601-113000-shakespeare-longer-e07b", lab.storage)
    yield made
    stop(made["live"])
    for run in made.values():
        delete(run)


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Iterator[None]:
    """Start the local cluster of the person whose JupyterLab it is."""
    home = lab.folder.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        patch.setenv("RAY_AUTH_MODE", "token")
        start_owned(HeadOptions(num_cpus=4))
        yield
        stop_owned()


@takes_pictures
@pytest.mark.timeout(1200)
def test_every_screen_in_both_themes_and_two_sizes(shell: Shell, runs, cluster):
    shell.open_from_launcher()
    for tab in shell.output.get_by_role("tab").all_text_contents():
        shell.tab(tab).click()
        PREPARED.get(tab, look)(shell, runs)
        shoot(shell, tab.lower())
    shell.show_side()
    shell.tab("Monitor").click()
    expect(shell.side.get_by_role("listitem").filter(has_text="running").first).to_be_visible()
    watch(shell, runs)
    shoot(shell, "lab", whole=True)


def shoot(shell: Shell, name: str, *, whole: bool = False) -> None:
    """Take the pictures of what is in front: of the cockpit, or of all of JupyterLab."""
    seen = shell.page if whole else shell.output
    for theme in THEMES:
        shell.use_theme(theme)
        for width, height in SIZES:
            shell.page.set_viewport_size({"width": width, "height": height})
            picture(seen, f"cockpit-{name}-{theme.lower()}-{width}.png")


def look(shell: Shell, runs) -> None:
    """Let the screen read what it shows."""
    shell.page.wait_for_timeout(3000)


def fill_form(shell: Shell, runs) -> None:
    shell.output.get_by_label("Recipe", exact=True).select_option(
        label="shakespeare-char (shakespeare_char.yaml)"
    )
    shell.output.get_by_role("link", name="Train").click()
    expect(shell.button("Launch")).to_be_enabled(timeout=SLOW_MS)


def watch(shell: Shell, runs) -> None:
    shell.output.get_by_role("option", name=re.compile("running")).filter(visible=True).first.click()
    expect(shell.status).to_contain_text(re.compile(r"step [6-9]\d\d|step [\d],"), timeout=600_000)


def choose_learned(shell: Shell, runs) -> None:
    shell.output.get_by_role("option", name=f"{LEARNED} finished").filter(visible=True).click()
    expect(shell.output.get_by_role("row").filter(visible=True).nth(5)).to_be_visible()


def write(shell: Shell, runs) -> None:
    for column, step in (("A", "100"), ("B", "500")):
        shell.output.get_by_label(f"Run {column}").select_option(runs["learned"].run_id)
        shell.output.get_by_label(f"Step {column}").select_option(step)
    shell.labelled("Prompt").fill("ROMEO:\n")
    shell.field("max_new_tokens").fill("350")
    shell.field("seed").fill("7")
    shell.button("Generate").click()
    for column in "AB":
        region = shell.output.get_by_role("region", name=f"Column {column}")
        expect(region.get_by_role("status")).to_contain_text("done", timeout=LOADED_MS)


# What is done on a screen before its picture is taken; one that is not named here shows itself.
PREPARED: dict[str, Callable[[Shell, dict[str, Run]], None]] = {
    "Launch": fill_form,
    "Monitor": watch,
    "Checkpoints": choose_learned,
    "Playground": write,
}
