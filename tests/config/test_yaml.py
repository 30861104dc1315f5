import math

import pytest

from raylm.config import BadInput, dump_yaml, load_yaml, parse_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 0.0001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("0123", 123),
        ("no", "no"),
        ("on", "on"),
        ("NO", "NO"),
        ("12:30:45", "12:30:45"),
        ("2024-01-31", "2024-01-31"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("'1e-4'", "1e-4"),
        ("true", True),
        ("null", None),
        ("", None),
        ("[1, a, {b: 2.5}]", [1, "a", {"b": 2.5}]),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


ODD_TEXTS = [
    "1e-4",
    "no",
    "",
    "~",
    "12:30:45",
    "0x10",
    "- a",
    "a: b",
    "# c",
    "é漢😀",
    "x\ny: z",
    "\t\x07",
    "9" * 5000,
]


def test_what_is_dumped_is_read_back_equal():
    values = {
        "text": ODD_TEXTS,
        "numbers": [0, -1, 1e-7, 1e22, math.inf],
        "none": None,
        "flags": [True, False],
    }
    assert parse_value(dump_yaml(values)) == values


def test_the_line_of_every_value_is_known(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n")
    lines = load_yaml(path).lines
    assert lines["a", "b"] == 2
    assert lines["a", "c", 0] == 4
    assert lines["a", "c", 1, "d"] == 5


def test_every_repeated_field_is_named_with_both_lines(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    with pytest.raises(BadInput) as caught:
        load_yaml(path)
    assert [(each.field, each.message, each.location) for each in caught.value.problems] == [
        ("b.c", "given twice (lines 2, 2)", "run.yaml:2"),
        ("a", "given twice (lines 1, 3)", "run.yaml:3"),
    ]


def test_an_alias_that_holds_itself_is_refused():
    with pytest.raises(BadInput, match="nests over"):
        parse_value("&a [*a]")


def test_an_alias_of_reasonable_size_is_read():
    assert parse_value("{a: &x [1, 2], b: *x}") == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize("depth", [40, 3000])
def test_deep_nesting_is_refused(depth):
    with pytest.raises(BadInput, match="nests over"):
        parse_value("[" * depth + "]" * depth)


def test_a_missing_file_names_what_is_near_it(tmp_path):
    (tmp_path / "shakespeare.yaml").write_text("name: x")
    with pytest.raises(BadInput, match=r"no such file; near names there: shakespeare\.yaml"):
        load_yaml(tmp_path / "shakespear.yaml")
