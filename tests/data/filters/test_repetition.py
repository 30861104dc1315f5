import random
from collections import Counter

import pytest

from raylm.data.filters.repetition import Repetition
from raylm.data.repeats import Words, repeated

OFF = {name: 1.0 for name in Repetition.model_fields if name.startswith("max_")}


def judge(text, source, **fields):
    return Repetition(**fields).judge(source)(text)


def fresh(count, seed=0):
    """Words that do not repeat in runs."""
    draw = random.Random(seed)
    return ["".join(draw.choices("abcdefghijklmnop", k=5)) for _ in range(count)]


def one_of(size, times, others):
    """A text in which one run of `size` words stands `times` times among others."""
    run, rest = fresh(size, seed=1), fresh(others, seed=2)
    step = others // times
    return " ".join(word for n in range(times) for word in [*run, *rest[n * step : (n + 1) * step]])


@pytest.mark.parametrize(
    ("text", "reason", "field"),
    [
        ("\n".join([*fresh(12), *["again"] * 9]), "duplicate_lines", "max_duplicate_line_share"),
        (
            "\n".join([" ".join(fresh(9))] * 2 + fresh(12)),
            "duplicate_lines",
            "max_duplicate_line_character_share",
        ),
        (
            "\n\n".join(f"{line}\n{line}" for line in [*fresh(12), *["a"] * 9]),
            "duplicate_paragraphs",
            "max_duplicate_paragraph_share",
        ),
        (
            "\n\n".join([" ".join(fresh(9))] * 2 + fresh(12)),
            "duplicate_paragraphs",
            "max_duplicate_paragraph_character_share",
        ),
        (one_of(2, 20, 100), "top_2_gram", "max_top_2_gram_share"),
        (one_of(3, 8, 90), "top_3_gram", "max_top_3_gram_share"),
        (one_of(4, 8, 120), "top_4_gram", "max_top_4_gram_share"),
        *((one_of(n, 3, 24), f"duplicate_{n}_gram", f"max_duplicate_{n}_gram_share") for n in range(5, 11)),
    ],
)
def test_each_limit_is_a_field(text, reason, field, source):
    default = Repetition.model_fields[field].default
    verdict = judge(text, source, **{**OFF, field: default})

    assert (verdict.text, verdict.reason) == (None, reason)
    assert f"{field} is {default:.3g}" in verdict.detail
    assert verdict.excerpt
    assert verdict.excerpt in " ".join(text.split()) or verdict.excerpt in text
    assert judge(text, source, **OFF).text == text


def test_books_do_not_repeat_themselves(source, shakespeare):
    assert judge(shakespeare, source).reason == ""
    assert judge(" ".join(fresh(20)), source).reason == "", "a short text's most frequent pair stands once"


def test_a_text_that_stands_twice_is_dropped(source, prose):
    assert judge(f"{prose}\n\nAnd so on.\n\n{prose}", source).text is None


def slow_covered(words, starts, size):
    """The covered share, word by word."""
    inside = {place for start in starts for place in range(start, start + size)}
    return sum(len(words[place]) + 1 for place in inside) / sum(len(word) + 1 for word in words)


@pytest.mark.parametrize("seed", range(20))
def test_shares_are_those_of_counting_word_by_word(seed):
    draw = random.Random(seed)
    words = draw.choices(["a", "bb", "ccc", "dddd"][: draw.randint(1, 4)], k=draw.randint(11, 80))
    for size in (2, 3, 4):
        runs = [tuple(words[n : n + size]) for n in range(len(words) - size + 1)]
        (top, count) = max(Counter(runs).items(), key=lambda item: (item[1], -runs.index(item[0])))
        expected = [slow_covered(words, [n for n, run in enumerate(runs) if run == top], size)]
        assert [gram.character_share for gram in Words(words).top_grams([size])] == pytest.approx(
            expected if count > 1 else []
        )
    found = {gram.num_words: gram.character_share for gram in Words(words).duplicate_grams(range(5, 11))}
    for size in range(5, 11):
        runs = [tuple(words[n : n + size]) for n in range(len(words) - size + 1)]
        again = [n for n, run in enumerate(runs) if runs.index(run) < n]
        assert found.get(size, 0) == pytest.approx(slow_covered(words, again, size))


def test_parts_that_stood_before_are_measured():
    assert repeated(["aa", "b", "aa", "aa"]) == (0.5, 4 / 7, "aa")
    assert repeated(["a", "b"]) == (0, 0, "")
    assert repeated([]) == (0, 0, "")
