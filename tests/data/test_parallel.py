import gzip

import pytest
from pydantic import ValidationError

from raylm.config import BadInput
from raylm.data.sources import BadRow
from raylm.data.sources.parallel import Parallel


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write files into the working directory, so that messages show their names alone."""
    monkeypatch.chdir(tmp_path)

    def put(**texts):
        for name, text in texts.items():
            (tmp_path / name.replace("_", ".")).write_text(text)

    return put


def rows_of(path, target_path, template="{source}|{target}", **settings):
    source = Parallel(path=path, target_path=target_path, template=template, **settings)
    return [row for item in source.inputs() for row in source.read(item)]


def texts_of(*args, **settings):
    return [row.text for row in rows_of(*args, **settings)]


def digests(path, target_path):
    source = Parallel(path=path, target_path=target_path)
    return [source.digest(item, lambda _: None) for item in source.inputs()]


def test_a_line_stands_beside_the_line_of_its_number(write):
    write(a_en="one\ntwo\n\nthree", a_de="eins\r\nzwei\n\ndrei\n")
    rows = rows_of("a.en", "a.de")
    assert [row.text for row in rows] == ["one|eins", "two|zwei", "three|drei"]
    assert [row.origin for row in rows] == ["a.en:1", "a.en:2", "a.en:4"]


def test_several_targets_are_a_list(write):
    write(a_src="x\ny\n", a_ref0="X\nY\n", a_ref1="X!\nY!\n")
    template = "{source}|{targets.0}|{targets.1}"
    assert texts_of("a.src", ("a.ref0", "a.ref1"), template) == ["x|X|X!", "y|Y|Y!"]
    assert texts_of("a.src", "a.ref*", template) == ["x|X|X!", "y|Y|Y!"]


def test_several_files_go_with_as_many_in_their_order(write):
    write(a_en="one\n", b_en="two\n", a_de="eins\n", b_de="zwei\n", a_fr="un\n", b_fr="deux\n")
    assert texts_of("*.en", "*.de") == ["one|eins", "two|zwei"]
    assert texts_of(("b.en", "a.en"), ("b.de", "a.de")) == ["two|zwei", "one|eins"]
    both = texts_of("*.en", ("*.de", "*.fr"), "{source}|{targets.0}|{targets.1}")
    assert both == ["one|eins|un", "two|zwei|deux"]


def test_packed_files_are_read(write, tmp_path):
    write(a_en="one\n")
    (tmp_path / "a.de.gz").write_bytes(gzip.compress(b"eins\n"))
    assert texts_of("a.en", "a.de.gz") == ["one|eins"]


@pytest.mark.parametrize(("english", "german"), [(3, 2), (1, 4)])
def test_files_of_unequal_length_are_refused_with_both_counts(write, english, german):
    write(a_en="x\n" * english, a_de="y\n" * german)
    with pytest.raises(BadInput) as caught:
        rows_of("a.en", "a.de")
    assert f"a.en has {english} lines, a.de has {german}" in str(caught.value)
    assert caught.value.problems[0].field == "target_path"


def test_a_blank_line_beside_one_that_is_not_is_a_bad_row(write):
    write(a_en="one\n \nthree\n", a_de="eins\nzwei\n\n")
    found = [
        (row.origin, row.field, row.message) for row in rows_of("a.en", "a.de") if isinstance(row, BadRow)
    ]
    assert found == [
        ("a.en:2", "path", "line 2 of a.en is blank, of the other file it is not"),
        ("a.en:3", "target_path", "line 3 of a.de is blank, of the other file it is not"),
    ]


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("a.dee", "target_path: a.dee does not exist; near it: a.de"),
        (("a.de", "c.de", "d.de"), "target_path: 3 files for 2 of path; name as many, in the same order"),
    ],
)
def test_targets_that_do_not_go_with_the_sources_are_refused(write, target, problem):
    write(a_en="x", b_en="x", a_de="y", c_de="y", d_de="y")
    with pytest.raises(BadInput) as caught:
        rows_of("*.en", target)
    assert str(caught.value).startswith(problem)


def test_a_target_path_must_be_given():
    for settings in ({}, {"target_path": ""}, {"target_path": ()}):
        with pytest.raises(ValidationError):
            Parallel(path="x", **settings)


def test_a_digest_and_a_stamp_follow_the_targets_too(write):
    write(a_en="x\n", a_de="y\n", b_de="y\n", c_de="z\n")
    assert digests("a.en", "a.de") == digests("a.en", "b.de") != digests("a.en", "c.de")
    source, other = (Parallel(path="a.en", target_path=name) for name in ("a.de", "b.de"))
    assert source.settings() == other.settings()
    (item,) = source.inputs()
    assert item.num_bytes == 4
    before = source.stamp(item)
    write(a_de="changed\n")
    assert source.stamp(item) != before
    read = []
    source.digest(item, read.append)
    assert sum(read) == len("x\nchanged\n")


def test_a_field_that_aligned_lines_do_not_have_is_refused(write):
    write(a_en="x\n", a_de="y\n")
    with pytest.raises(BadInput, match="no 'text'; columns are source, target"):
        rows_of("a.en", "a.de", template="{text}")
    with pytest.raises(BadInput, match="no 'target'; columns are source, targets"):
        rows_of("a.en", ("a.de", "a.en"))


def test_a_line_that_is_no_utf8_is_a_bad_row_and_the_next_stay_aligned(write, tmp_path):
    write(a_en="one\ntwo\nthree\n")
    (tmp_path / "a.de").write_bytes(b"eins\n\xff\ndrei\n")
    rows = rows_of("a.en", "a.de", on_bad_row="skip")
    assert [row.text for row in rows if not isinstance(row, BadRow)] == ["one|eins", "three|drei"]
    assert rows[1].message == "byte 5 (line 2) is not UTF-8"
