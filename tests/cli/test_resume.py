"""A resume that cannot be is refused, and the run stays as it was."""

import pytest

from raylm.cli import main
from raylm.runs.run import Run
from tests.tiny import tiny_recipe, train_alone


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Run:
    """A finished run of ten steps, over a text of its own; each test leaves it as it was."""
    folder = tmp_path_factory.mktemp("resume")
    (folder / "text.txt").write_text("to be or not to be\n" * 300)
    source = {"kind": "text", "path": str(folder / "text.txt")}
    recipe = tiny_recipe(train={"max_steps": 10}, data={"sources": [source]})
    return train_alone(recipe, str(folder / "runs"), "kept")


def refused(capsys, run, *arguments):
    """Run a command that is refused; return the lines that say why."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["runs", *arguments, "--storage", run.storage])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("model.hidden_size=64", "model.hidden_size: is 64, the checkpoint of step 10 was made with 32"),
        ("tokenizer={kind: byte_bpe, vocab_size: 300}", "tokenizer.kind: is byte_bpe, the checkpoint"),
        ("train.max_steps=8", "train.max_steps: kept is at step 10 already, its limit is 8; raise it"),
        ("name=kept", "train.max_steps: kept is at step 10 already, its limit is 10; raise it: raylm runs"),
    ],
)
def test_what_its_checkpoint_contradicts_is_refused_before_anything_is_written(kept, capsys, override, says):
    before = kept.recipe_yaml()
    assert says in refused(capsys, kept, "resume", "kept", override)
    assert len(kept.launches()) == 1
    assert kept.status().status == "finished"
    assert kept.recipe_yaml() == before


def test_a_recipe_that_proves_wrong_later_is_not_the_runs(kept, capsys, tmp_path):
    (tmp_path / "other.txt").write_text("another text\n" * 300)
    other = f"data.sources.0.path={tmp_path / 'other.txt'}"
    before = kept.recipe_yaml()
    assert "data" in refused(capsys, kept, "resume", "kept", "train.max_steps=12", other)
    assert len(kept.launches()) == 2
    assert kept.recipe_yaml() == before
    assert other.partition("=")[2] in kept.recipe_yaml(2)


@pytest.mark.parametrize("command", ["resume", "stop"])
def test_a_checkpoint_is_no_run(kept, capsys, command):
    err = refused(capsys, kept, command, "kept@5")
    assert "names a checkpoint, not a run" in err
    assert "raylm runs fork kept@5" in err
