import pytest

from raylm.data.filters.fineweb_quality import FinewebQuality

LINES = [f"This is line number {number} of a text that is quite all right." for number in range(20)]


def judge(lines, source, **fields):
    return FinewebQuality(**fields).judge(source)("\n".join(lines))


def without_ends(count):
    return [line.removesuffix(".") for line in LINES[:count]] + LINES[count:]


@pytest.mark.parametrize(
    ("lines", "reason", "off"),
    [
        (LINES, "", {}),
        (without_ends(18), "few_end_marks", {"min_end_mark_line_share": 0.1}),
        (without_ends(17), "", {}),
        ([f"Item {n}." for n in range(45)] + LINES, "short_lines", {"max_short_line_share": 0.7}),
        (
            [f"Number{n} internationalisation resumes." for n in range(40)],
            "many_newlines",
            {"max_newlines_per_word": 1},
        ),
        ([*LINES, LINES[3]], "duplicate_lines", {"max_duplicate_line_character_share": 0.1}),
        (["。".join(["今天天气很好我们一起去公园散步吧"] * 3) + "。", *LINES], "", {}),
    ],
)
def test_each_rule_is_a_field(lines, reason, off, source):
    verdict = judge(lines, source)

    assert verdict.reason == reason
    assert judge(lines, source, **off).text == "\n".join(lines)


def test_the_line_that_stood_before_is_shown(source):
    verdict = judge([*LINES, LINES[3]], source)

    assert verdict.excerpt == LINES[3]
    assert verdict.detail.startswith("0.0472 of the characters are in lines that stood before, max_dup")


def test_blank_lines_are_no_lines(source):
    assert judge([line for line in LINES for line in (line, "", "  ")], source).reason == ""
