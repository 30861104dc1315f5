import pytest

from raylm.data.filters.unicode import Unicode


def judge(text, source, **fields):
    return Unicode(**fields).judge(source)(text)


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("Das ist schÃ¶n.", "Das ist schön."),
        ("the mother&apos;s milk &amp; honey", "the mother's milk & honey"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("\ufeffa\x00b\x1b[36mc", "abc"),
        ("cafe\u0301", "café"),
    ],
)
def test_broken_text_is_repaired(broken, mended, source):
    verdict = judge(broken, source)

    assert (verdict.text, verdict.reason) == (mended, "repaired")
    assert judge(mended, source).reason == "", "a second repair finds nothing"


def test_the_excerpt_shows_both_sides(source):
    verdict = judge("fine\nDas ist schÃ¶n.", source)

    assert verdict.detail == "1 line repaired"
    assert verdict.excerpt == "Das ist schÃ¶n. -> Das ist schön."


@pytest.mark.parametrize(
    "text",
    ["“Typographic” quotes – and dashes…", "x = html.replace('&', '&amp;')  # if x < 3", "ﬁ ２"],  # noqa: RUF001
)
def test_what_a_writer_meant_stays(text, source):
    assert judge(text, source).text == text


@pytest.mark.parametrize(
    ("text", "fields", "mended"),
    [
        ("“a”", {"straight_quotes": True}, '"a"'),
        ("ﬁn", {"split_ligatures": True}, "fin"),
        ("２", {"normal_width": True}, "2"),  # noqa: RUF001
        ("a²", {"normalisation": "NFKC"}, "a2"),
        ("<b> &amp;", {"unescape_html": "always"}, "<b> &"),
        ("&amp;", {"unescape_html": "never"}, "&amp;"),
        ("schÃ¶n", {"fix_encoding": False}, "schÃ¶n"),
        ("a\r\nb", {"fix_line_breaks": False}, "a\r\nb"),
        ("a\x07b", {"remove_controls": False}, "a\x07b"),
    ],
)
def test_each_repair_is_a_field(text, fields, mended, source):
    assert judge(text, source, **fields).text == mended
