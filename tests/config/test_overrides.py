import pytest

from raylm.config import BadInput
from raylm.config.overrides import apply_override, read_overrides


def applied(values, *arguments):
    overrides, problems = read_overrides(arguments)
    assert not problems
    for override in overrides:
        values = apply_override(values, override)
    return values


def test_an_override_replaces_one_field_and_leaves_the_rest():
    before = {"a": {"b": 1, "c": [{"d": 1}, {"d": 2}]}}
    assert applied(before, "a.c.1.d=3", "a.e.f=x") == {
        "a": {"b": 1, "c": [{"d": 1}, {"d": 3}], "e": {"f": "x"}}
    }
    assert before["a"]["c"][1]["d"] == 2


@pytest.mark.parametrize("argument", ["a", "=1", "a..b=1", ".a=1"])
def test_what_is_no_override_says_how_to_write_one(argument):
    _, problems = read_overrides([argument])
    assert "write section.field=value" in str(problems[0])


def test_the_same_override_twice_is_refused():
    _, problems = read_overrides(["a.b=1", "a.b=1"])
    assert "a.b (command line): given twice" in str(problems[0])


@pytest.mark.parametrize(
    ("argument", "message"), [("a.5=1", "the list has no 5"), ("b.c=1", "b has no fields")]
)
def test_an_override_that_leads_nowhere_says_where_it_stops(argument, message):
    with pytest.raises(BadInput, match=message):
        applied({"a": [1, 2], "b": 3}, argument)
