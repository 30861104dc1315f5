"""What holds for every filter, whatever its kind."""

import json

import pytest

from raylm.config.choice import discover
from raylm.config.docstrings import help_of
from raylm.data.filters import CorpusFilter, DocumentFilter, Filter

discover("raylm.data.filters")
KINDS = sorted(kind for kind, cls in Filter.kinds.items() if cls.__module__.startswith("raylm.data.filters."))
DOCUMENT_KINDS = [kind for kind in KINDS if issubclass(Filter.kinds[kind], DocumentFilter)]
ODD = {
    "one character": "x",
    "emoji": "🙂👩‍👩‍👧🏳️‍🌈 " * 5,
    "right to left": "\u202eשלום עולם\u202c مرحبا بالعالم",  # noqa: RUF001
    "nul": "a\x00b\x00\x00",
    "only marks": "\u0301\u0308\u200d",
    "chinese": "你好世界。这是一个句子。",
    "private and unassigned": "\ue000\U0010ffff\ufffe",
    "line breaks only": "\r\n\r\n\x0b\x0c\u2028 .",
    "brackets": "{[(<&amp;>)]}",
    "digits": "0 1 2 3 4 5 6 7 8 9 " * 20,
    "a long line": "lorem dolor sit amet 3.5 a@b.cd " * 32_000,
    "a long word": "x" * 1_000_000,
    "many lines": "- item ...\n" * 20_000,
    "replaced": "\ufffd" * 50,
}


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Make a filter of any kind; one that needs a file gets one."""
    lines = tmp_path_factory.mktemp("evaluation") / "lines.txt"
    lines.write_text("Which of these eight words in a row is the longest one?\nshort line here\n")

    def make(kind: str, **fields) -> Filter:
        if kind == "decontamination":
            fields.setdefault("against", [str(lines)])
        return Filter.model_validate({"kind": kind, **fields})

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_explained(kind):
    cls = Filter.kinds[kind]

    assert cls.__doc__
    assert [name for name in cls.model_fields if name != "kind" and not help_of(cls, name)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_survives_being_written_down_and_read_again(kind, make):
    one = make(kind)

    assert Filter.model_validate(one.model_dump(mode="json")) == one


@pytest.mark.parametrize("kind", KINDS)
def test_settings_are_plain_values_and_the_same_each_time(kind, make):
    settings = make(kind).settings()

    assert settings["kind"] == kind
    assert json.loads(json.dumps(settings)) == json.loads(json.dumps(make(kind).settings()))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", DOCUMENT_KINDS)
def test_odd_texts_are_judged_twice_the_same(kind, odd, make, source):
    first = make(kind).judge(source)(ODD[odd])
    again = make(kind).judge(source)(ODD[odd])

    assert first == again
    assert first.reason or first.text == ODD[odd], "a change has a reason"
    assert (first.text is None) <= bool(first.reason and first.detail), "a drop has a reason and a detail"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(Filter.kinds[kind], CorpusFilter)])
def test_odd_texts_get_a_sketch_each(kind, make):
    texts = list(ODD.values())
    sketches = make(kind).sketch(texts)

    assert len(sketches) == len(texts)
    assert (make(kind).sketch(texts[:3]) == sketches[:3]).all(), "a sketch depends on its text alone"


@pytest.mark.parametrize("kind", DOCUMENT_KINDS)
def test_clean_prose_passes_as_it_is(kind, make, source, prose):
    verdict = make(kind).judge(source)(prose)

    assert (verdict.text, verdict.reason) == (prose, "")
