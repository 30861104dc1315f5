"""Answers become programs by one rule, and are parsed without being run."""

import pytest

from raylm.metrics.code import is_function_head, parses, program
from raylm.metrics.retrieval import nearest

HEAD = 'def add(a, b):\n    """Return the sum."""\n'


@pytest.mark.parametrize(
    ("source", "is_program"),
    [
        ("x = 1\n", True),
        ("x = (", False),
        ("x = '\\d'", True),
        ("a\0b", False),
        ("(" * 1000 + ")" * 1000, False),
        ("-" * 90_000 + "1", False),
        ("x = 1\n" * 50_000, False),  # longer than is looked at
    ],
)
def test_texts_that_parse_are_programs(source, is_program, recwarn):
    assert parses(source) is is_program
    assert not recwarn.list


@pytest.mark.parametrize(
    ("prompt", "is_head"),
    [
        (HEAD, True),
        ("import math\n\ndef f(x):", True),
        ("def f(x):  # the root\n", True),
        ("class A:\n\tdef f(self):\n", True),
        ("async def f():\n", True),
        ("Write a function that adds two numbers.", False),
        ("# add two numbers\n", False),
        ("", False),
        ("x = 1\n", False),
    ],
)
def test_the_head_of_a_function_is_told_from_other_prompts(prompt, is_head):
    assert is_function_head(prompt) is is_head


def test_a_body_follows_its_head_as_it_stands():
    assert program(HEAD, "    return a + b\n") == HEAD + "    return a + b\n"
    assert program("def f():", "    pass") == "def f():\n    pass"
    assert not parses(program(HEAD, "return a +\n"))


def test_an_indent_that_is_wrong_is_not_mended():
    assert not parses(program(HEAD, "  return a + b\n"))


def test_after_words_the_answer_is_the_whole_program():
    assert program("Add two numbers.", "def add(a, b):\n    return a + b\n").startswith("def add")


def test_the_nearest_training_key_shares_most_words():
    train = ["sort a list of numbers", "reverse a string", "sum of squares"]
    assert nearest(train, ["reverse the given string", "sort numbers", "squares"]) == [1, 0, 2]


def test_a_key_like_none_takes_the_first():
    assert nearest(["a b", "c d"], ["zzz"]) == [0]
