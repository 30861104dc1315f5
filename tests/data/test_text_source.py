import gzip
import os
import random
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from raylm.config import BadInput
from raylm.data import files
from raylm.data.sources.text import Text

NOBODY = 65534  # the user with no rights of its own


def documents(path, **settings):
    source = Text(path=str(path), **settings)
    return [tuple(document[:2]) for item in source.inputs() for document in source.read(item)]


def problem_of(path, **settings):
    with pytest.raises(BadInput) as caught:
        documents(path, **settings)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize("by", ["file", "paragraph", "line"])
def test_documents_do_not_depend_on_the_size_of_the_blocks_read(tmp_path, monkeypatch, by, block_bytes):
    monkeypatch.setattr(files, "BLOCK_BYTES", block_bytes)
    path = tmp_path / "x.txt"
    path.write_bytes("a é\r\nb\n\n \n\n🙂 c\nd\n\n".encode())
    expected = {
        "file": [("a é\r\nb\n\n \n\n🙂 c\nd\n\n", 1)],
        "paragraph": [("a é\nb", 1), ("🙂 c\nd", 6)],
        "line": [("a é", 1), ("b", 2), ("", 3), (" ", 4), ("", 5), ("🙂 c", 6), ("d", 7), ("", 8)],
    }[by]
    assert documents(path, by=by) == [(text, f"{path}:{line}") for text, line in expected]


def test_only_newlines_end_a_line(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("a\x0bb\u2028c\x85d\ne", encoding="utf-8")
    assert [text for text, _ in documents(path, by="line")] == ["a\x0bb\u2028c\x85d", "e"]


def test_gzip_reads_like_the_plain_file(tmp_path):
    text = "".join(random.Random(1).choices("ab é🙂\n", k=5000))
    (tmp_path / "x.txt").write_text(text, encoding="utf-8")
    with gzip.open(tmp_path / "x.txt.gz", "wt", encoding="utf-8") as file:
        file.write(text)
    assert documents(tmp_path / "x.txt")[0][0] == documents(tmp_path / "x.txt.gz")[0][0] == text


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"\xef\xbb\xbfa\0b")
    assert documents(path)[0][0] == "a\0b"


def test_other_encodings_are_read_when_named(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("Straße", encoding="latin-1")
    assert documents(path, encoding="latin-1")[0][0] == "Straße"
    path.write_text("Straße 🙂", encoding="utf-16")
    assert documents(path, encoding="utf-16")[0][0] == "Straße 🙂"


def test_a_pattern_gives_each_file_once_in_alphabetical_order(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("b.txt", "a.txt", "sub/c.txt"):
        (tmp_path / name).write_text(name)
    source = Text(path=(str(tmp_path / "**/*.txt"), str(tmp_path / "a.txt")))
    assert [Path(item.name).name for item in source.inputs()] == ["a.txt", "b.txt", "c.txt"]


def test_a_name_with_brackets_is_no_pattern_when_the_file_is_there(tmp_path):
    path = tmp_path / "x[1].txt"
    path.write_text("text")
    assert documents(path)[0][0] == "text"


@pytest.mark.parametrize("block_bytes", [1, 4, 1 << 20])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_that_is_not_utf8_is_named_with_its_line(tmp_path, monkeypatch, block_bytes, mark):
    monkeypatch.setattr(files, "BLOCK_BYTES", block_bytes)
    path = tmp_path / "x.txt"
    path.write_bytes(mark + b"abc\nd\xff e\n")
    problem = problem_of(path)
    assert problem.location == f"{path}:2"
    assert problem.message == f"byte {5 + len(mark)} (line 2) is not UTF-8"
    assert "errors: replace" in problem.mend
    assert documents(path, errors="replace")[0][0] == "abc\nd\ufffd e\n"


def test_a_character_cut_at_the_end_is_an_error(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("ab🙂".encode()[:-1])
    assert "byte 2 (line 1)" in problem_of(path).message


def test_binary_data_is_refused(tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(random.Random(2).randbytes(10_000))
    assert "is not UTF-8" in problem_of(path).message


def test_gzip_without_its_name_is_told_to_be_renamed(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(gzip.compress(b"hello"))
    assert problem_of(path).mend == "rename it to x.txt.gz"


def test_a_gz_file_that_is_cut_off_or_damaged_or_plain_is_named(tmp_path):
    whole = gzip.compress(random.Random(3).randbytes(3000).hex().encode())
    path = tmp_path / "x.txt.gz"
    path.write_bytes(whole[:1000])
    assert "is cut off after" in problem_of(path).message
    path.write_bytes(whole[:500] + bytes(200) + whole[700:])
    assert "is damaged" in problem_of(path).message
    path.write_bytes(b"plain text")
    problem = problem_of(path)
    assert "is not gzip" in problem.message
    assert problem.mend == "rename it to x.txt"


def test_a_missing_file_is_named_with_its_neighbours(tmp_path):
    for name in ("shakespeare.txt", "shakespear.txt", "other.csv"):
        (tmp_path / name).write_text("x")
    problem = problem_of(tmp_path / "shakespare.txt")
    assert f"{tmp_path}/shakespare.txt does not exist" in problem.message
    assert "shakespeare.txt" in problem.mend
    assert "shakespear.txt" in problem.mend
    assert "other.csv" not in problem.mend


def test_a_pattern_without_matches_is_an_error(tmp_path):
    assert "matches no file" in problem_of(tmp_path / "*.txt").message


def test_what_is_no_regular_file_is_refused_without_opening_it(tmp_path):
    os.mkfifo(tmp_path / "fifo.txt")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    assert "is a folder" in problem_of(tmp_path).message
    assert "is not a regular file" in problem_of(tmp_path / "fifo.txt").message
    assert "is not a regular file" in problem_of(tmp_path / "f*.txt").message
    assert "is not a regular file" in problem_of("/dev/zero").message
    assert "cannot be read" in problem_of(tmp_path / "loop.txt").message


@pytest.fixture
def open_folder():
    """A folder that everybody may enter; pytest's own belong to one person."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@contextmanager
def rights_of_nobody():
    """Run a block without root's rights, to whom no file is closed."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_file_without_permission_is_named(open_folder):
    path = open_folder / "x.txt"
    path.write_text("x")
    assert documents(path) == [("x", f"{path}:1")]
    path.chmod(0)
    with rights_of_nobody():
        problem = problem_of(path)
    assert problem.message == f"{path} cannot be read: Permission denied"


@pytest.mark.parametrize("settings", [{"path": ""}, {"path": ()}, {"path": "x", "encoding": "utf-99"}])
def test_settings_that_cannot_work_are_refused(settings):
    with pytest.raises(ValidationError):
        Text(**settings)
