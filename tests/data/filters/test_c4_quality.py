import pytest

from raylm.data.filters.c4_quality import C4Quality

FIVE = "One was here. Two came late. Three said nothing at all. Was four the last? Five it was!"


def judge(text, source, **fields):
    return C4Quality(**fields).judge(source)(text)


def test_lines_that_are_no_prose_are_left_out_and_counted(source):
    text = f"Home | News | About\n\n{FIVE}\n\nRead more...\nPlease enable JavaScript to see this.\nToo short."
    verdict = judge(text, source)

    assert verdict.text == FIVE
    assert verdict.reason == "no_end_mark"
    assert verdict.found == {"no_end_mark": 2, "javascript": 1, "few_words": 1}
    assert verdict.detail == "4 of 5 lines: 2 no_end_mark, 1 javascript, 1 few_words"
    assert verdict.excerpt == "Home | News | About"


@pytest.mark.parametrize(
    ("line", "fault", "off"),
    [
        ("This line has no end", "no_end_mark", {"end_marks": ""}),
        ("This line goes on...", "no_end_mark", {"end_marks": ""}),
        ("Two words.", "few_words", {"min_words_per_line": 2}),
        (f"One word is {'x' * 1001} long.", "long_word", {"max_word_length": 2000}),
        ("Turn on Javascript in your browser.", "javascript", {"drop_javascript_lines": False}),
        ("This site uses cookies to please you.", "policy", {"drop_policy_lines": False}),
        ("Read our Privacy Policy for that.", "policy", {"drop_policy_lines": False}),
    ],
)
def test_each_line_rule_is_a_field(line, fault, off, source):
    text = f"{FIVE}\n{line}"
    verdict = judge(text, source)

    assert (verdict.text, verdict.reason) == (FIVE, fault)
    assert judge(text, source, **off).text == text


@pytest.mark.parametrize(
    ("text", "reason", "off"),
    [
        (f"{FIVE} Lorem Ipsum dolor sit amet.", "lorem_ipsum", {"drop_lorem_ipsum": False}),
        (f"{FIVE} Then x = {{1}} it was.", "curly_bracket", {"drop_curly_brackets": False}),
        ("One was here. Two came. Three left. Four stayed.", "few_sentences", {"min_sentences": 4}),
        ("Nothing ends here\nor there it is", "few_sentences", {"min_sentences": 0, "end_marks": ""}),
    ],
)
def test_each_document_rule_is_a_field(text, reason, off, source):
    assert judge(text, source)[:2] == (None, reason)
    assert judge(text, source, **off).text == text


def test_a_blocked_word_drops_the_document_whatever_its_case(source):
    assert judge(f"{FIVE} What a MUPPET!", source, blocked_words=["muppet"]).reason == "blocked_word"
    assert judge(f"{FIVE} What muppetry it is!", source, blocked_words=["muppet"]).text is not None


def test_titles_and_initials_end_no_sentence(source):
    text = "Mr. J. Smith and Dr. A. Jones met Mrs. Brown vs. St. John, e.g. on the stairs of the house."

    assert judge(text, source).detail == "1 sentences in the lines that stay, min_sentences is 5"


def test_citation_marks_are_taken_out(source):
    assert judge(FIVE.replace("late.", "late[12][citation needed]."), source)[:2] == (FIVE, "citations")
    assert judge(f"{FIVE} A list[3] is.", source, remove_citations=False).reason == ""


def test_lines_broken_at_a_fixed_width_are_judged_by_paragraph(source):
    wrapped = FIVE.replace("nothing at", "nothing\nat").replace("the last", "the\nlast")
    text = f"A Heading Line\n\n{wrapped}\n\n{wrapped}"

    assert judge(text, source).reason == "few_sentences"
    assert judge(text, source, by="paragraph").text == f"{wrapped}\n\n{wrapped}"
    assert judge(f"{wrapped}\n\n\n{wrapped}", source, by="paragraph").reason == ""
