import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from raylm.cli import main
from raylm.data.tokenizers.byte_bpe import ByteBpe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "examples" / "shakespeare_char.yaml"
TEXT = "To be, or not to be: that is the question.\n\nWhether 'tis nobler in the mind to suffer?\n\n" * 40


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAYLM_STORAGE", str(tmp_path / "storage"))
    (tmp_path / "corpus.txt").write_text(TEXT)
    return tmp_path


def call(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["tokenizer", *map(str, arguments)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


BPE = ("tokenizer.kind=byte_bpe", "tokenizer.vocab_size=300", "data.sources.0.path=corpus.txt")


def test_train_writes_a_folder_that_autotokenizer_loads(capsys, folder):
    from transformers import AutoTokenizer

    code, out, err = call(capsys, "train", RECIPE, *BPE, "--out", "mine", "--json")
    facts = json.loads(out)
    assert (code, err) == (0, "")
    assert facts["path"] == str(folder / "mine")
    assert facts["kind"] == "byte_bpe"
    loaded = AutoTokenizer.from_pretrained(folder / "mine")
    assert len(loaded) == facts["vocab_size"] == 300
    assert loaded.decode(loaded.encode(TEXT)) == TEXT


def test_train_learns_what_a_prepared_dataset_has(capsys, folder):
    assert call(capsys, "train", RECIPE, *BPE, "--out", "mine")[0] == 0
    with pytest.raises(SystemExit):
        main(["prepare", str(RECIPE), *BPE, "--json"])
    path = Path(json.loads(capsys.readouterr().out)["path"])
    for file in (folder / "mine").iterdir():
        assert file.read_bytes() == (path / "tokenizer" / file.name).read_bytes()


def test_train_says_that_the_corpus_gives_less_than_asked(capsys):
    change = (BPE[0], "tokenizer.vocab_size=5000", BPE[2])
    code, _, err = call(capsys, "train", RECIPE, *change, "--out", "mine")
    assert code == 0
    assert err.startswith("note: tokenizer.vocab_size: asked 5000, the corpus gives ")


def test_train_says_at_once_that_the_folder_cannot_be_made(capsys, monkeypatch):
    monkeypatch.setattr("raylm.data.prepare.training_texts", None)
    code, out, err = call(capsys, "train", RECIPE, *BPE, "--out", "corpus.txt/mine")
    assert (code, out) == (2, "")
    assert err == "--out: corpus.txt/mine cannot be written: Not a directory; choose another folder\n"


def test_train_overwrites_nothing(capsys, folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("mine")
    code, out, err = call(capsys, "train", RECIPE, *BPE, "--out", "mine")
    assert (code, out) == (2, "")
    assert err == "--out: mine is not empty; name a new folder\n"


def test_row_51_a_vocabulary_smaller_than_the_alphabet_is_one_line(capsys):
    change = ("tokenizer.kind=wordpiece", "tokenizer.vocab_size=20", "data.sources.0.path=corpus.txt")
    code, _, err = call(capsys, "train", RECIPE, *change, "--out", "mine")
    assert code == 2
    assert err.startswith("tokenizer.vocab_size: 20 is below the ")
    assert "characters of the corpus" in err
    assert err.count("\n") == 1


def test_row_53_an_empty_corpus_is_one_line(capsys, folder):
    (folder / "corpus.txt").write_text("")
    code, _, err = call(capsys, "train", RECIPE, *BPE, "--out", "mine")
    assert code == 2
    assert "corpus.txt" in err
    assert err.count("\n") == 1
    assert not (folder / "mine").exists()


def test_compare_trains_five_kinds_on_a_recipe(capsys):
    code, out, _ = call(
        capsys, "compare", RECIPE, "data.sources.0.path=corpus.txt", "--vocab-size", 400, "--json"
    )
    rows = {row["name"]: row for row in json.loads(out)["tokenizers"]}
    assert code == 0
    assert list(rows) == ["character", "word", "byte_bpe", "wordpiece", "unigram"]
    assert {name for name, row in rows.items() if row["round_trip"] == 1} == {
        "character", "word", "byte_bpe", "unigram",
    }  # fmt: skip
    assert rows["word"]["bytes_per_token"] > rows["byte_bpe"]["bytes_per_token"] > 1
    assert rows["character"]["bytes_per_token"] == 1
    for row in rows.values():
        assert row["unknown_rate"] == 0
        assert list(row["sources"]) == ["corpus"]
        assert row["tokens"] == row["sources"]["corpus"]["tokens"]
        assert row["mb_per_second"] > 0


def test_compare_measures_folders_and_datasets_on_files(capsys, folder):
    ByteBpe(vocab_size=300).train(iter([TEXT])).save(folder / "small")
    ByteBpe(vocab_size=400).train(iter([TEXT])).save(folder / "dataset" / "tokenizer")
    (folder / "more.jsonl").write_text('{"text": "To be, or not to be"}\n')
    code, out, _ = call(
        capsys, "compare", "small", "dataset", "--data", "corpus.txt", "--data", "more.jsonl", "--json"
    )
    small, large = json.loads(out)["tokenizers"]
    assert code == 0
    assert (small["name"], large["name"]) == ("small", "dataset")
    assert list(small["sources"]) == ["corpus", "more"]
    assert small["bytes_per_token"] < large["bytes_per_token"]


def test_compare_prints_a_line_for_each_tokenizer_and_source(capsys):
    code, out, err = call(
        capsys, "compare", RECIPE, "data.sources.0.path=corpus.txt", "--kinds", "character,wordpiece",
        "--vocab-size", 80, "--data", "corpus.txt",
    )  # fmt: skip
    assert code == 0
    first, second = (line.split("\t") for line in out.splitlines()[:2])
    assert first[0] == "character"
    assert second[:2] == ["wordpiece", "80"]
    assert "wordpiece: gives words back, not the white space" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("compare", "nowhere/tokenizer"), "nowhere"),
        (("compare", "empty", "--data", "corpus.txt"), "empty holds no tokenizer.json"),
        (("compare", "mine"), "--data: no text to measure on; name files: --data FILE"),
        (("compare", "mine", "--data", "missing.txt"), "missing.txt does not exist"),
        (("compare", RECIPE, "--kinds", "byte_bep"), "did you mean byte_bpe"),
        (("compare", RECIPE, "--kinds", "byte_bpe", "--vocab-size", 100), "100 is below the 257"),
        (("compare", RECIPE, RECIPE), "2 recipes are given"),
        (("show", "corpus.txt", "--text", "a"), "corpus.txt is no tokenizer"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_2(capsys, folder, arguments, says):
    (folder / "empty").mkdir()
    ByteBpe(vocab_size=300).train(iter([TEXT])).save(folder / "mine")
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_show_lists_the_pieces_with_their_ids(capsys, folder):
    trained = ByteBpe(vocab_size=300).train(iter([TEXT]))
    trained.save(folder / "mine")
    text = "to be\n☃"
    code, out, _ = call(capsys, "show", "mine", "--text", text, "--json")
    facts = json.loads(out)
    assert code == 0
    assert [piece["id"] for piece in facts["pieces"]] == trained.encode(text)
    assert facts["pieces"][-1]["text"] == "☃"
    lines = call(capsys, "show", "mine", "--text", text)[1].splitlines()
    assert len(lines) == len(facts["pieces"])
    assert lines[0].split("\t")[0] == str(facts["pieces"][0]["id"])


def test_a_terminal_shows_the_pieces_in_one_coloured_line(folder):
    ByteBpe(vocab_size=300).train(iter([TEXT])).save(folder / "mine")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "raylm", "tokenizer", "show", "mine", "--text", "to be \x1b[31m"]
    subprocess.run(
        command, stdout=follower, check=True, timeout=60, env={**os.environ, "TERM": "xterm-256color"}
    )
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert "48;5;" in shown
    assert "·be" in shown
    assert "\x1b[31m" not in shown
