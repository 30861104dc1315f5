"""Hostile text in every place where a person, a corpus or a model could have put it, on every screen."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, Page, expect

from raylm.runs import Lease, Run
from raylm.runs.fork import delete
from raylm.widgets.panels import panels
from tests.browser.window import SLOW_MS, Cockpit, Lab
from tests.hostile import AS_FILES, PINS, TEXTS, TOGETHER, WHOLE, missing, write_told
from tests.tiny import SMALLEST, tiny_recipe, train_alone

pytestmark = pytest.mark.browser
# What an element and those inside it show: text, values and hints of fields, options of lists.
SHOWN = """root => [root, ...root.querySelectorAll('*')]
    .filter(each => each.checkVisibility())
    .flatMap(each => [
        [...each.childNodes].filter(node => node.nodeType === 3).map(node => node.data).join(''),
        typeof each.value === 'string' ? each.value : '',
        each.placeholder ?? '',
        ...(each.localName === 'select' ? [...each.options].map(option => option.textContent) : []),
    ])
    .filter(Boolean)"""
# Elements and attributes that no screen makes: some text must have become one.
STRANGE = """root => {
    const elements = ['script', 'iframe', 'object', 'embed', 'img', 'base', 'math', 'link', 'noscript'];
    const loads = ['href', 'src', 'xlink:href', 'action', 'formaction', 'data', 'background', 'style'];
    const isStrange = ({name, value}) => name.startsWith('on') || name === 'srcdoc'
        || (/(javascript|data|vbscript|expression)\\s*[:(]/i.test(value) && loads.includes(name));
    return [...root.querySelectorAll('*')]
        .filter(each => elements.includes(each.localName) || [...each.attributes].some(isStrange))
        .map(each => each.outerHTML.slice(0, 200));
}"""


class Planted(NamedTuple):
    """Runs that hold the texts."""

    told: Run
    """Failed, with texts in its record, events, logs, checkpoints and recipes."""
    spoken: Run
    """Trained, with texts for tokens."""


@pytest.fixture(scope="module")
def planted(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    recipes = [lab.folder / "examples" / f"{name}.yaml" for name in ("hostile", AS_FILES[0])]
    sources = [{"kind": "text", "path": text, "licence": text} for text in TEXTS]
    for recipe, name in zip(recipes, (TOGETHER, "by-its-file"), strict=True):
        recipe.write_text(json.dumps({**SMALLEST, "name": name, "data": {"sources": sources}}))
    planted = Planted(write_told(lab.storage), train_spoken(lab.storage, tmp_path_factory.mktemp("spoken")))
    yield planted
    for recipe in recipes:
        recipe.unlink()
    for run in planted:
        for name in run.folder.names("pins"):
            run.folder.remove(f"pins/{name}")
        delete(run)


@pytest.fixture
def named(lab: Lab) -> Iterator[list[Run]]:
    """A run with each text for a name, launched and not yet begun."""
    runs = []
    for number, text in enumerate(TEXTS):
        run = Run.create(lab.storage, f"20990101-000000-named-{number:04}", {"name": text, "person": text})
        run.claim_launch("name: x\n", how="process", address=text)
        runs.append(run)
    yield runs
    for run in runs:
        end(run, "it is over")
        delete(run)


def end(run: Run, reason: str) -> None:
    if run.status().is_live:
        Lease.acquire(run).release("failed", reason, mend=reason)


def train_spoken(storage: str, folder: Path) -> Run:
    """Train a model whose every token is one of the texts, so that it can write nothing else."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {text: number for number, text in enumerate((*WHOLE, "<|end|>", "<|unknown|>"))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<|unknown|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("\N{SNOWMAN}", "removed")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"eos_token": "<|end|>", "unk_token": "<|unknown|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(special))
    (folder / "text.txt").write_text("\N{SNOWMAN}".join(WHOLE * 40), newline="")
    recipe = tiny_recipe(
        tokenizer={"kind": "pretrained", "path": str(folder)},
        data={"sources": [{"kind": "text", "path": str(folder / "text.txt")}]},
        train={"max_steps": 5},
    )
    return train_alone(recipe, storage, "20990103-000000-spoken-0000")


@contextmanager
def untouched(page: Page) -> Iterator[None]:
    """Nothing that a text says is done: no dialog, no window, no script."""
    happened: list[str] = []
    page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda popup: happened.append(popup.url))
    yield
    assert happened == []
    assert page.evaluate("window.__pwned") is None
    # The test could have seen it: the same text put where a page takes it for more does what it says.
    page.evaluate(
        "text => document.body.append(document.createRange().createContextualFragment(text))", TEXTS[1]
    )
    page.wait_for_function("window.__pwned === 1")
    page.evaluate("() => { delete window.__pwned; document.body.lastChild.remove() }")


def test_every_screen_shows_texts_as_text_in_a_notebook(cockpit, planted, named):
    with untouched(cockpit.page):
        walk(cockpit, planted)


def test_every_screen_shows_texts_as_text_without_a_kernel(shell, planted, named):
    with untouched(shell.page):
        shell.show_side()
        expect(shell.page.get_by_role("button", name=f"RayLM: {len(named)} running")).to_be_visible()
        check(shell.side, TEXTS)
        shell.open_from_launcher()
        walk(shell, planted, speaks=True)
        toast = shell.page.locator("#react-toastify-container .jp-toast-message")
        for number, (run, text) in enumerate(zip(named, TEXTS, strict=True), 1):
            end(run, text)
            shell.page.evaluate("window.dispatchEvent(new Event('focus'))")
            # One for all, which tells the last.
            expect(toast).to_contain_text(
                f"{number} runs did not finish" if number > 1 else "failed at step 0"
            )
            check(toast, (text,))
        expect(shell.page.get_by_role("button", name="RayLM: 0 running")).to_be_visible()


def check(place: Locator, texts: tuple[str, ...] = ()) -> None:
    """Assert that texts are visible there as text, and that nothing else came of any."""
    shown = place.evaluate(SHOWN)
    assert missing(shown, texts) == []
    assert place.evaluate(STRANGE) == []


def walk(cockpit: Cockpit, planted: Planted, *, speaks: bool = False) -> None:
    """Open every screen there is, and everything on it that opens without changing the world."""
    for kind in panels():
        cockpit.tab(kind.title).click()
        expect(cockpit.tab(kind.title)).to_have_attribute("aria-selected", "true")
        expect(cockpit.output.locator(".raylm-screen:visible, .raylm-notice:visible").first).to_be_visible()
        expect(cockpit.output.locator(".raylm-spinner:visible")).to_have_count(0, timeout=SLOW_MS)
        if kind.title in WALKS:
            WALKS[kind.title](cockpit, planted)
        for summary in cockpit.output.locator("summary:visible").all():
            summary.click()
        check(cockpit.output)
    if speaks:
        cockpit.tab("Playground").click()
        let_it_speak(cockpit, planted.spoken)


def through_launch(cockpit: Cockpit, planted: Planted) -> None:
    recipes = cockpit.output.get_by_label("Recipe", exact=True)
    expect(recipes).to_be_visible(timeout=SLOW_MS)
    titles = recipes.locator("option").all_text_contents()
    assert missing(titles, (*TEXTS, f"by-its-file ({AS_FILES[0]}.yaml)")) == []
    recipes.select_option(index=next(n for n, title in enumerate(titles) if title.startswith(TEXTS[0])))
    cockpit.output.get_by_label("Advanced").check()
    cockpit.output.get_by_role("link", name="Data", exact=True).click()
    check(cockpit.output, TEXTS)
    expect(cockpit.field("name")).to_have_attribute("aria-invalid", "true", timeout=SLOW_MS)


def through_monitor(cockpit: Cockpit, planted: Planted) -> None:
    choose(cockpit, planted.told)
    check(cockpit.output.get_by_role("listbox", name="Runs"), TEXTS)
    cockpit.output.get_by_label("Log file").select_option("driver-l1.log")
    log = cockpit.labelled("Log")
    expect(log).to_contain_text("a link in a terminal")
    for place in (cockpit.status, cockpit.labelled("Events")):
        check(place, TEXTS)
    check(log, WHOLE)
    check(cockpit.output.get_by_label("Log file"), AS_FILES)
    cockpit.output.get_by_label("Find in log").fill("<img")
    cockpit.labelled("Table").check()


def through_checkpoints(cockpit: Cockpit, planted: Planted) -> None:
    choose(cockpit, planted.told)
    for step in (20, 10):
        cockpit.output.get_by_role("checkbox", name=f"Step {step}", exact=True).check()
    check(cockpit.output.get_by_role("region", name="Checkpoints"), PINS)
    cockpit.button("Compare").click()
    comparison = cockpit.output.get_by_role("region", name="Comparison")
    expect(comparison).to_be_visible()
    for column in (1, 2, 3):  # names, and the values of both
        cells = comparison.locator(f"tr > :nth-child({column})").all_text_contents()
        assert missing(cells, WHOLE) == [], column
    cockpit.output.get_by_role("checkbox", name="Step 10", exact=True).uncheck()
    cockpit.button("Delete").click()
    expect(cockpit.status.filter(has_text="Step 20 stays")).to_be_visible()
    check(cockpit.output, PINS)
    for form in ("Fork", "Export"):
        cockpit.button(form).click()
        expect(cockpit.output.locator("form")).to_be_visible()
        check(cockpit.output)
    cockpit.page.keyboard.press("Escape")


def through_playground(cockpit: Cockpit, planted: Planted) -> None:
    cockpit.output.get_by_label("Run A").select_option(planted.told.run_id)
    prompt = cockpit.output.get_by_label("Prompt", exact=True)
    expect(prompt).to_have_attribute("placeholder", re.compile("^For example: <script>"))
    check(prompt, TEXTS)
    check(cockpit.output.locator(".raylm-picker").first, TEXTS)


def let_it_speak(cockpit: Cockpit, run: Run) -> None:
    cockpit.output.get_by_label("Run A").select_option(run.run_id)
    cockpit.output.get_by_label("Run B").select_option("")
    fields = {"temperature": "10", "max_new_tokens": "800", "seed": "1"}
    for name, value in fields.items():
        cockpit.field(name).fill(value)
    cockpit.output.get_by_label("Prompt", exact=True).fill("\N{SNOWMAN}".join(WHOLE))
    cockpit.button("Generate").click()
    column = cockpit.output.get_by_role("region", name="Column A")
    expect(column.get_by_role("status")).to_contain_text("done", timeout=SLOW_MS)
    check(column.locator(".raylm-given"), WHOLE)
    check(column.get_by_role("region", name="Text A"), WHOLE)


def choose(cockpit: Cockpit, run: Run) -> None:
    cockpit.output.locator(f'[role="option"][title="{run.run_id}"]:visible').click()
    expect(cockpit.output.get_by_role("heading", level=2)).to_have_text(run.run_id)


# Screens of which more is known than that they open.
WALKS: dict[str, Callable[[Cockpit, Planted], None]] = {
    "Launch": through_launch,
    "Monitor": through_monitor,
    "Checkpoints": through_checkpoints,
    "Playground": through_playground,
}
