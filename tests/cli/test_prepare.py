import contextlib
import errno
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raylm.cli import main
from raylm.runs.disk import Disk

EXAMPLES = Path(__file__).parents[2] / "examples"
RECIPE = EXAMPLES / "shakespeare_char.yaml"
BOOKS = EXAMPLES / "prepare_books.yaml"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("To be, or not to be.\n" * 100)
    return path


def run(capsys, *arguments, recipe=RECIPE):
    """Return exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as caught:
        main(["prepare", str(recipe), *map(str, arguments)])
    out, err = capsys.readouterr()
    return caught.value.code, out, err


def test_json_says_what_lies_where_and_that_it_is_reused(capsys, text, tmp_path):
    arguments = (f"data.sources.0.path={text}", "--storage", tmp_path, "--json")
    code, out, err = run(capsys, *arguments)
    facts = json.loads(out)
    assert (code, err) == (0, "")
    assert Path(facts["path"]).parent == tmp_path / "datasets"
    assert (Path(facts["path"]) / "index.json").exists()
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
    with subprocess.Popen([*command, "--storage", str(tmp_path)], stderr=follower) as child:
        os.close(follower)
        shown = all_of(leader).decode(errors="replace")
    assert child.returncode == 0, shown
    assert "encoding" in shown
    assert "ETA" in shown


def all_of(leader):
    """Return what a terminal shows until its last writer has ended; meanwhile its buffer is kept empty."""
    shown = b""
    with os.fdopen(leader, "rb", buffering=0) as terminal, contextlib.suppress(OSError):  # Linux's end of it
        while piece := terminal.read(1 << 16):
            shown += piece
    return shown


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """Where the example with four sources and nine filters was prepared."""
    storage = tmp_path_factory.mktemp("books")
    with pytest.raises(SystemExit) as caught:
        main(["prepare", str(BOOKS), "--storage", str(storage)])
    assert caught.value.code == 0
    return storage


def test_the_example_counts_what_each_filter_did(capsys, books):
    code, out, _ = run(capsys, "--storage", books, "--json", recipe=BOOKS)
    facts = json.loads(out)
    assert (code, facts["is_reused"]) == (0, True)
    filters = {each["kind"]: each for each in facts["filters"]}
    assert filters["exact_duplicates"]["dropped"] == {"exact_duplicate": 150}
    assert filters["near_duplicates"]["dropped"] == {"near_duplicate": 3}
    assert filters["personal_data"]["found"] == {"email": 5}
    assert filters["language"]["found"]["en"] > 2900
    assert filters["personal_data"]["kept"] == facts["documents"]


def test_the_example_keeps_its_code_and_says_whose_texts_it_holds(capsys, books):
    sources = {
        source["name"]: source
        for source in json.loads(run(capsys, "--storage", books, "--json", recipe=BOOKS)[1])["sources"]
    }
    assert list(sources) == ["books", "wikitext2", "wiki_docs", "python_code"]
    assert sources["python_code"]["licence"] == "MIT"
    assert sources["python_code"]["removed"] == {"near_duplicates": {"near_duplicate": 2}}
    assert sources["wiki_docs"]["documents"] == 30


def test_a_person_sees_sources_filters_and_where_the_report_lies(capsys, books):
    code, out, err = run(capsys, "--storage", books, recipe=BOOKS)
    assert (code, err) == (0, "")
    assert "books\tpublic domain\t2,423\t" in out
    assert "150 dropped (150 exact duplicate)" in out
    assert "found 5 email" in out
    report = out.splitlines()[-1].removeprefix("report: ")
    assert Path(report).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_prepared_data_that_a_recipe_points_to_is_told_with_its_filters(capsys, books):
    path = json.loads(run(capsys, "--storage", books, "--json", recipe=BOOKS)[1])["path"]
    code, out, _ = run(capsys, f"data.path={path}", "--json", recipe=BOOKS)
    assert code == 0
    assert len(json.loads(out)["filters"]) == 9


def test_a_report_that_was_removed_is_not_missed(capsys, text, tmp_path):
    arguments = (f"data.sources.0.path={text}", "--storage", tmp_path, "--json")
    path = Path(json.loads(run(capsys, *arguments)[1])["path"])
    for name in ("report.json", "report.html", "decisions.jsonl.gz"):
        (path / name).unlink()
    code, out, _ = run(capsys, *arguments)
    facts = json.loads(out)
    assert (code, facts["is_reused"], facts["report"], facts["filters"]) == (0, True, None, [])


def test_a_source_with_an_unknown_licence_is_refused_with_the_way_to_allow_it(capsys, tmp_path):
    code, out, err = run(
        capsys, "data.sources.3.licence=unknown", "--storage", tmp_path, "--json", recipe=BOOKS
    )
    assert (code, out) == (2, "")
    assert err.startswith("data.sources.3.licence")
    assert 'add "unknown" to allow in the filter licence' in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["corpus.txt", "corpus.txt/data"])
def test_a_dataset_whose_folder_cannot_be_made_is_one_line_and_exit_2(capsys, text, tmp_path, name):
    source, path = f"data.sources.0.path={text}", tmp_path / name
    code, out, err = run(capsys, source, f"data.path={path}", "--storage", tmp_path / "storage")
    assert (code, out) == (2, "")
    assert err == f"data.path: {path} cannot be written: Not a directory; choose another folder\n"


def test_a_dataset_whose_folder_may_not_be_written_in_says_so(capsys, text, tmp_path, monkeypatch):
    def deny(*_args):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    source, path = f"data.sources.0.path={text}", tmp_path / "closed" / "data"
    make, is_closed = Disk.make_folder, str(path.parent).__eq__
    monkeypatch.setattr(
        Disk, "make_folder", lambda self, at, mode: (deny if is_closed(at) else make)(self, at, mode)
    )
    code, _, err = run(capsys, source, f"data.path={path}", "--storage", tmp_path / "storage")
    assert (code, err) == (
        2,
        f"data.path: {path} cannot be written: Permission denied; choose another folder\n",
    )


def test_a_changed_input_is_named_before_it_is_read_again(capsys, text, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("Brevity is the soul of wit.\n" * 50)
    sources = f"data.sources=[{{kind: text, path: {text}}}, {{kind: text, path: {other}}}]"
    assert run(capsys, sources, "--storage", tmp_path)[0] == 0
    other.write_text("Brevity is the soul of wit, he said.\n" * 50)
    code, _, err = run(capsys, sources, "--storage", tmp_path)
    assert code == 0
    assert "to be read" in err
    assert str(other) in err
    assert str(text) not in err


@pytest.mark.parametrize(
    ("host", "says"), [("127.0.0.1", "cannot reach"), ("stranger.example.org", "is not in your cluster list")]
)
def test_an_address_that_cannot_be_joined_is_told_at_once(capsys, tmp_path, free_port, host, says):
    begun = time.monotonic()
    code, out, err = run(
        capsys, f"scaling.address={host}:{free_port}", "--storage", tmp_path / "storage", "--ray"
    )
    assert time.monotonic() - begun < 20  # Ray itself tries for minutes
    assert (code, out) == (2, "")
    assert err.startswith("scaling.address: ")
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.ray
def test_ray_data_gives_the_same_dataset(capsys, text, tmp_path):
    source = f"data.sources.0.path={text}"
    here = json.loads(run(capsys, source, "--storage", tmp_path / "here", "--json")[1])
    there = run(capsys, source, "--storage", tmp_path / "there", "--json", "--ray")
    assert there[0] == 0
    assert json.loads(there[1])["digest"] == here["digest"]
