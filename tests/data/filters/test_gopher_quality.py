import pytest

from raylm.data.filters.gopher_quality import GopherQuality

GOOD = "the cat and the dog sat with a bird on that wall of stone\n" * 6  # 84 words in 6 lines


def judge(text, source, **fields):
    return GopherQuality(**fields).judge(source)(text)


@pytest.mark.parametrize(
    ("text", "reason", "off"),
    [
        ("the end of this stone", "too_short", {"min_words": 5}),
        (GOOD * 1200, "too_long", {"max_words": 10**6}),
        ("a b c d the of\n" * 20, "short_words", {"min_mean_word_length": 1}),
        ("internationalisation responsibilities the of\n" * 20, "long_words", {"max_mean_word_length": 30}),
        (GOOD + "#cat " * 20, "hashes", {"max_hashes_per_word": 1}),
        (GOOD.replace("and", "and..."), "", {}),
        (GOOD.replace(" and", "... and").replace("bird", "bird…"), "ellipses", {"max_ellipses_per_word": 1}),
        (GOOD.replace("the cat", "- the cat"), "bullet_points", {"max_bullet_line_share": 1}),
        (GOOD.replace("stone", "stone..."), "ellipsis_lines", {"max_ellipsis_line_share": 1}),
        (GOOD + "1234 5678 90123 " * 10, "few_letters", {"min_letter_word_share": 0.5}),
        ("some words like these here\n" * 20, "few_stop_words", {"min_stop_words": 0}),
        ("der Hund und die Katze\n" * 20, "few_stop_words", {"stop_words": ["der", "die", "und"]}),
    ],
)
def test_each_rule_is_a_field(text, reason, off, source):
    verdict = judge(text, source)

    assert verdict.reason == reason
    assert (verdict.text is None) == bool(reason)
    assert judge(text, source, **off).text == text


def test_the_numbers_are_said(source):
    assert judge("the end of it", source).detail == "4 words, min_words is 50"
    assert judge(GOOD + "1234 5678 90123 " * 10, source).detail == (
        "0.737 of the words have a letter, min_letter_word_share is 0.8"
    )


def test_a_limit_is_still_allowed(source):
    exactly = " ".join(["the", "and", *["word"] * 48])

    assert judge(exactly, source).text == exactly
    assert judge(exactly.removesuffix(" word"), source).reason == "too_short"


def test_other_letters_are_letters(source):
    assert judge("кошка и собака 1 дом\n" * 20, source, min_stop_words=0).reason == ""
