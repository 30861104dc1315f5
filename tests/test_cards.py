"""What a notebook shows of a recipe, a run and a checkpoint: a few true facts, and never markup from data."""

from html.parser import HTMLParser

import pytest

from raylm.config.card import Card, State
from raylm.runs import Lease, MetricsWriter, Run, StepRecord
from tests.tiny import tiny_recipe, train_alone

HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe\u001b[31m\"'&"


class Read(HTMLParser):
    """The tags and the text of some HTML, as a browser would read it."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name for name, _ in attrs}))

    def handle_data(self, data):
        self.text += f"{data} "


def test_nothing_that_a_card_is_given_becomes_markup():
    safe = Read(Card("a", [("b", "c")], State("d"), 0.5, ["e"]).html())
    card = Card(HOSTILE, [(HOSTILE, HOSTILE)], State(HOSTILE), 0.5, [HOSTILE], [HOSTILE])
    hostile = Read(card.html())
    assert hostile.tags == safe.tags
    assert hostile.text.count("<img src=x onerror=alert(1)>gnp.exe[31m\"'&") == 5
    assert "\u202e" not in card.text() + card.line() + card.html()
    assert "\u001b" not in card.text() + card.line() + card.html()


def test_a_recipe_shows_what_differs_from_the_default_and_the_tokens():
    recipe = tiny_recipe(train={"max_steps": 20, "seed": 7})
    shown = repr(recipe)
    assert "seed 7" in shown
    assert "precision" not in shown
    assert "5,120 in 20 steps" in shown
    assert Read(recipe._repr_html_()).text.split() == [*shown.split()]
    assert "parameters" not in shown, "of a vocabulary that is read from the text nothing is known"
    bpe = tiny_recipe(tokenizer={"kind": "byte_bpe", "vocab_size": 300})
    numbers = bpe.model.language_parameters(300, 32, "causal")
    assert f"{numbers:,}" in repr(bpe)


@pytest.fixture
def trained(storage):
    return train_alone(
        tiny_recipe(train={"max_steps": 4}, schedule={"warmup_steps": 0}, checkpoint={"every_steps": 2}),
        storage,
        "ended",
    )


def test_a_run_shows_its_state_and_what_can_be_done_next(trained, storage):
    running = Run.create(storage, "live")
    lease = Lease.acquire(running, running.claim_launch("name: x\n", how="here"))
    writer = MetricsWriter(running, lease.start_attempt())
    writer.append(StepRecord(50, 1, 100, 1.0, {"train/loss": 2.5}))
    writer.close()
    lease.update(step=50, max_steps=200)
    assert repr(running) == f"<Run live: running, step 50 of 200, loss 2.5000, in {running.uri}>"
    shown = running._repr_html_()
    assert "width:25.0%" in shown
    assert "raylm runs stop live" in shown
    assert "runs resume" not in shown
    lease.release("failed", HOSTILE)
    failed = Read(running._repr_html_())
    assert "raylm runs resume live" in failed.text
    assert "<img" in failed.text
    assert "img" not in {tag for tag, _ in failed.tags}
    assert "raylm checkpoints export ended" in trained._repr_html_()


def test_a_checkpoint_says_whether_it_was_verified(trained):
    listed = trained.checkpoints.show(4)
    assert repr(listed).startswith("<Checkpoint ended@4: unverified, loss ")
    assert "raylm checkpoints verify ended@4" in listed._repr_html_()
    assert "verified every byte" in Read(trained.checkpoints.show(4, deep=True)._repr_html_()).text.replace(
        "  ", " "
    )
    (listed.folder.local_path() / "manifest.json").write_text("{}")
    bad = trained.checkpoints.show(4)
    assert repr(bad).startswith("<Checkpoint ended@4: bad, why ")
    assert "evaluate" not in bad._repr_html_()
