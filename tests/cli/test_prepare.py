import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from raylm.cli import main

RECIPE = Path(__file__).parents[2] / "examples" / "shakespeare_char.yaml"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("To be, or not to be.\n" * 100)
    return path


def run(capsys, *arguments):
    """Return exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as caught:
        main(["prepare", str(RECIPE), *map(str, arguments)])
    out, err = capsys.readouterr()
    return caught.value.code, out, err


def test_json_says_what_lies_where_and_that_it_is_reused(capsys, text, tmp_path):
    arguments = (f"data.sources.0.path={text}", "--storage", tmp_path, "--json")
    code, out, err = run(capsys, *arguments)
    facts = json.loads(out)
    assert (code, err) == (0, "")
    assert facts["path"] == str(tmp_path / "datasets" / facts["digest"])
    assert (facts["documents"], facts["tokens"], facts["is_reused"]) == (1, 2101, False)
    assert facts["vocab_size"] == len(set(text.read_text())) + 2
    assert json.loads(run(capsys, *arguments)[1]) == facts | {"is_reused": True}


def test_the_example_gives_nanogpts_split(capsys, tmp_path):
    code, out, err = run(capsys, "--storage", tmp_path)
    assert (code, err) == (0, "")
    assert "1,003,854 train and 111,541 validation tokens, vocabulary 67" in out


def test_notes_go_to_the_standard_error(capsys, text, tmp_path):
    change = ("tokenizer.kind=byte_bpe", "tokenizer.vocab_size=5000")
    code, _, err = run(capsys, f"data.sources.0.path={text}", "--storage", tmp_path, *change)
    assert code == 0
    assert err.startswith("note: tokenizer.vocab_size: asked 5000, the corpus gives ")


@pytest.mark.parametrize("content", [b"", b"abc\nd\xff", None])
def test_text_that_cannot_be_used_is_one_line_and_exit_2(capsys, text, tmp_path, content):
    if content is None:
        text.unlink()
    else:
        text.write_bytes(content)
    code, out, err = run(capsys, f"data.sources.0.path={text}", "--storage", tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith("data.sources.0.path")
    assert str(text) in err
    assert err.count("\n") == 1


def test_a_storage_that_cannot_be_written_is_one_line_and_exit_2(capsys, text):
    code, _, err = run(capsys, f"data.sources.0.path={text}", "--storage", text)
    assert code == 2
    assert err.count("\n") == 1


def test_a_terminal_shows_a_bar(text, tmp_path):
    command = [sys.executable, "-m", "raylm", "prepare", str(RECIPE), f"data.sources.0.path={text}"]
    leader, follower = pty.openpty()
    subprocess.run([*command, "--storage", str(tmp_path)], stderr=follower, check=True, timeout=60)
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert "encoding" in shown
    assert "ETA" in shown
