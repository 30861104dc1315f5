import json
import random

import pytest

from raylm.config.errors import BadInput
from raylm.data.filters.decontamination import Decontamination

SENTENCES = [
    "A farmer sells {a} baskets of {b} on Monday and twice as many on the following Tuesday morning.",
    "How many {b} does {c} have left after giving {a} of them to her younger brother?",
    "{c} reads {a} pages about {b} every evening, so how long does the whole book take?",
    "If a train carries {a} crates of {b}, {c} must unload them before noon.",
]


def evaluation_lines(count):
    """Lines of 8 words and more such as those of a set of arithmetic problems."""
    draw = random.Random(0)
    goods = ["apples", "marbles", "eggs", "stamps", "candles", "melons"]
    people = ["Natalia", "Omar", "Weng", "Betty"]
    lines = [
        draw.choice(SENTENCES).format(a=draw.randint(11, 9999), b=draw.choice(goods), c=draw.choice(people))
        for _ in range(count)
    ]
    return [" ".join(line.split()[: draw.choice([8, 9, 11, 13, 40])]) for line in lines]


def disguised(line, draw):
    """The same words in another case, with other punctuation and white space."""
    joints = [" ", "  ", "\n", " - ", ", "]
    text = "".join(word + draw.choice(joints) for word in line.rstrip("?.").split())
    return draw.choice([text, text.upper(), text.title(), f"“{text}”"])


def make(tmp_path, lines, name="lines.txt", **fields):
    path = tmp_path / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return Decontamination(against=[str(path)], **fields)


def test_all_injected_lines_are_found_and_no_clean_document_is_dropped(tmp_path, source, shakespeare):
    lines = evaluation_lines(200)
    speeches = shakespeare.split("\n\n")
    clean = ["\n\n".join(speeches[n : n + 5]) for n in range(0, len(speeches), 5)]
    draw = random.Random(1)
    judge = make(tmp_path, lines).judge(source)
    dirty = []
    for line, text in zip(lines, clean, strict=False):
        at = text.find(" ", draw.randrange(len(text) // 2)) + 1
        dirty.append(f"{text[:at]}{disguised(line, draw)} {text[at:]}")

    assert len(clean) > 1000
    assert [judge(text).reason for text in dirty] == ["evaluation_text"] * 200
    assert [text for text in clean if judge(text).text != text] == []


def test_thirteen_words_in_a_row_of_a_longer_line_are_enough(tmp_path, source):
    words = [f"word{n}" for n in range(30)]
    judge = make(tmp_path, [" ".join(words)]).judge(source)

    for start in range(18):
        assert judge("before " + " ".join(words[start : start + 13]) + " after").text is None
    assert judge("before " + " ".join(words[4:16]) + " after").text is not None


@pytest.mark.parametrize("count", [8, 9, 12, 13])
def test_a_line_of_8_to_13_words_matches_as_a_whole_only(count, tmp_path, source):
    words = [f"word{n}" for n in range(count)]
    judge = make(tmp_path, [" ".join(words)]).judge(source)

    assert judge(f"before {' '.join(words)} after").text is None
    assert judge(f"before {' '.join(words[1:])} after").text is not None
    assert judge(f"before {' '.join(words[:-1])} after").text is not None


def test_a_shorter_line_matches_only_a_whole_line(tmp_path, source):
    judge = make(tmp_path, ["Who wrote this old play?"]).judge(source)

    assert judge("First line.\n  who wrote — this old PLAY\nLast line.").text is None
    assert judge("She asked: who wrote this old play? Nobody knew.").text is not None


def test_one_or_two_words_match_only_a_document_that_is_nothing_else(tmp_path, source):
    judge = make(tmp_path, ["None", "John Smith"]).judge(source)

    assert judge("Who is there?\nNone\nJohn Smith").text is not None
    assert judge("\njohn smith.\n").text is None


def test_a_line_with_symbols_counts_its_words_as_a_reader_does(tmp_path, source):
    judge = make(tmp_path, ["compute 12 + 34 - 56 + 78 now", "( ( not ( True ) ) ) is"]).judge(source)

    assert judge("please compute 12 + 34 - 56 + 78 now and then").text is None
    assert judge("so ( ( not\n( true ) ) ) is what?").excerpt == "( ( not\n( true ) ) ) is"
    assert judge("that is not true is it").text is not None


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "die große Straße führt im Café an der Ecke vorbei",
            "Die GROßE Straße führt im CAFE\u0301 an der Ecke vorbei",
        ),
        ("今天天气很好我们一起去公园散步吧", "他说：今天天气很好，我们一起去公园散步吧。"),  # noqa: RUF001
        ("आज मौसम बहुत अच्छा है चलो बाहर चलते हैं", "कहा: आज मौसम बहुत अच्छा है, चलो बाहर चलते हैं।"),
    ],
)
def test_other_scripts_are_found_too(line, text, tmp_path, source):
    assert make(tmp_path, [line]).judge(source)(f"— {text} —").text is None


def test_the_match_and_its_file_are_shown(tmp_path, source):
    line = "eight different words are enough for one match"
    verdict = make(tmp_path, [line], name="quiz.txt").judge(source)(
        "Ah! Eight different words, are enough for one Match…"
    )

    assert verdict[1:] == (
        "evaluation_text",
        "1 x quiz.txt",
        "Eight different words, are enough for one Match",
        {"quiz.txt": 1},
    )


def test_matches_are_cut_out_or_only_counted(tmp_path, source):
    lines = ["eight different words are enough for one match", "who wrote this old play"]
    text = "Start. Eight different words are enough for one match. Middle.\nWho wrote this old play?\nEnd ß."
    cut = make(tmp_path, lines, action="redact").judge(source)(text)
    told = make(tmp_path, lines, action="report").judge(source)(text)

    assert (cut.text, cut.reason) == ("Start. . Middle.\n?\nEnd ß.", "evaluation_text")
    assert (told.text, told.reason, told.found) == (text, "", {"lines.txt": 2})


def test_fields_of_json_are_chosen_at_any_depth(tmp_path, source):
    rows = [
        {"question": "what is the name of the longest river there", "meta": {"note": ["a b c d e f g h i"]}}
    ]
    for name, written in (("q.jsonl", json.dumps(rows[0])), ("q.json", json.dumps(rows))):
        every = make(tmp_path, [written], name=name).judge(source)
        some = make(tmp_path, [written], name=name, fields=["question"]).judge(source)
        deep = make(tmp_path, [written], name=name, fields=["note"]).judge(source)
        assert every("so a b c d e f g h i j").text is None
        assert some("so a b c d e f g h i j").text is not None
        assert deep("so a b c d e f g h i j").text is None
        assert some("So what is the name of the longest river there?").text is None


@pytest.mark.parametrize(
    ("name", "text", "fields", "message"),
    [
        ("q.jsonl", '{"a": "x"}\nnope', [], "{path}:2): not JSON; each line must be a JSON value"),
        ("q.json", '{"a": "x",', [], "{path}:1): not JSON"),
        ("q.jsonl", '{"a": "x", "b": 1}', ["c"], "{path}:1): no text in c; the fields are a, b"),
        ("q.txt", "", [], "against: {path} has no lines"),
    ],
)
def test_a_bad_evaluation_file_is_named_before_anything_is_read(
    name, text, fields, message, tmp_path, source
):
    rule = make(tmp_path, [text], name=name, fields=fields)
    (problem,) = rule.problems([source])

    assert message.format(path=tmp_path / name) in str(problem)
    with pytest.raises(BadInput):
        rule.judge(source)


def test_a_missing_evaluation_file_is_named(tmp_path, source):
    make(tmp_path, ["a"], name="quiz.txt")
    (problem,) = Decontamination(against=[str(tmp_path / "quizz.txt")]).problems([source])

    assert str(problem) == f"against: {tmp_path}/quizz.txt does not exist; near it: quiz.txt"


def test_settings_change_with_the_content_and_not_with_the_folder(tmp_path, source):
    (tmp_path / "other").mkdir()
    here, there = make(tmp_path, ["one line"]), make(tmp_path / "other", ["one line"])
    before = here.settings()

    assert before == there.settings()
    assert make(tmp_path, ["another line"]).settings() != before
