"""Question answering: windows of a context, where answers stand in them, and what answers are worth."""

import json

import pytest
from pydantic import ValidationError

from raylm.data.records import NoTextError
from raylm.data.text_encoder import TextEncoder
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.unigram import Unigram
from raylm.data.tokenizers.wordpiece import WordPiece
from raylm.tasks.question_answering import QuestionAnswering

CONTEXT = (
    "In 1066 the Normans, led by William, crossed to England. "
    "Zürich and 東京 stayed where they were.  Nobody from Denver came; Anna Smith's letters say so!"
)
QUESTION = "Who led the Normans to England?"
SPANS = ["In 1066", "William", "Zürich", "東京", "Denver", "Anna Smith", "letters say so", "so!"]
TOKENIZERS = {
    "wordpiece": WordPiece(vocab_size=150),
    "roberta": ByteBpe(vocab_size=300, special_tokens="roberta"),
    "gpt": ByteBpe(vocab_size=300),
    "t5": Unigram(vocab_size=400, special_tokens="t5"),
    "xlnet": Unigram(vocab_size=300, special_tokens="xlnet"),
}


@pytest.fixture(scope="module", params=sorted(TOKENIZERS))
def encoder(request):
    trained = TOKENIZERS[request.param].train(iter([CONTEXT, QUESTION] * 8))
    return TextEncoder(trained, "question_answering")


def record_of(*spans, context=CONTEXT, question=QUESTION):
    answers = [{"text": text, "answer_start": context.index(text)} for text in spans]
    return QuestionAnswering().record({"context": context, "question": question, "answers": answers})


def refusal(answers, context="In Denver"):
    with pytest.raises(NoTextError) as error:
        QuestionAnswering().record({"context": context, "question": "Where?", "answers": answers})
    return error.value


def test_one_window_is_the_whole_input_as_the_tokenizer_makes_it(encoder):
    [window] = QuestionAnswering().windows(record_of(), encoder)
    whole = encoder.whole(QUESTION, CONTEXT)
    assert window.tokens == whole.ids
    assert window.first == whole.sequence_ids.index(1)
    assert window.no_answer == (whole.ids.index(cls) if (cls := encoder.vocabulary.cls_token_id) else 0)


@pytest.mark.parametrize("text", SPANS)
def test_the_tokens_of_an_answer_give_its_words_back(encoder, text):
    record = record_of(text)
    task = QuestionAnswering()
    [window] = task.windows(record, encoder)
    [row] = task.encode(record, encoder)
    assert row.tokens == window.tokens
    first, last = row.target
    said = window.span(first, last, CONTEXT)
    assert text in said
    assert len(said) <= len(text) + 2  # a token may reach over the answer's edge by a sign


@pytest.mark.parametrize("size", [24, 40])
def test_windows_hold_the_whole_context_and_share_some_of_it(encoder, size):
    task = QuestionAnswering(window=size, stride=3)
    windows = task.windows(record_of(), encoder)
    whole = QuestionAnswering().windows(record_of(), encoder)[0]
    assert len(windows) > 1
    assert all(len(window.tokens) <= size for window in windows)
    assert all(len(window.tokens) == size for window in windows[:-1])
    joined = windows[0].offsets + [each for window in windows[1:] for each in window.offsets[3:]]
    assert joined == whole.offsets
    context, step = whole.tokens[whole.first :], len(windows[0].offsets) - 3
    for number, window in enumerate(windows):
        start = number * step
        inside = window.tokens[window.first : window.first + len(window.offsets)]
        assert inside == context[start : start + len(inside)]
        assert window.tokens[window.no_answer] == (encoder.vocabulary.cls_token_id or window.tokens[0])


def test_a_window_without_the_whole_answer_has_the_place_of_none(encoder):
    task, record = QuestionAnswering(window=24, stride=4), record_of("Denver")
    windows, rows = task.windows(record, encoder), task.encode(record, encoder)
    start = CONTEXT.index("Denver")
    hits = 0
    for window, row in zip(windows, rows, strict=True):
        has_all = window.offsets[0][0] <= start and start + 6 <= window.offsets[-1][1]
        assert (list(row.target) != [window.no_answer] * 2) == has_all
        if has_all:
            hits += 1
            assert "Denver" in window.span(*row.target, CONTEXT)
    assert 1 <= hits < len(windows)


def test_an_unanswerable_question_has_the_place_of_none_everywhere(encoder):
    task = QuestionAnswering(window=24)
    for window, row in zip(
        task.windows(record_of(), encoder), task.encode(record_of(), encoder), strict=True
    ):
        assert list(row.target) == [window.no_answer] * 2


def test_a_long_question_leaves_half_the_window_to_the_context(encoder):
    task = QuestionAnswering(window=32)
    windows = task.windows(record_of(question=QUESTION * 20), encoder)
    assert all(len(window.tokens) <= 32 for window in windows)
    whole = encoder.whole(QUESTION, CONTEXT)
    num_special = sum(whole.special_tokens_mask)
    assert len(windows[0].offsets) == 32 - 16 - num_special


def test_a_span_outside_the_context_is_no_answer(encoder):
    [window] = QuestionAnswering().windows(record_of(), encoder)
    last = window.first + len(window.offsets) - 1
    assert window.span(window.first, last, CONTEXT) == CONTEXT
    assert window.span(window.first - 1, last, CONTEXT) == ""
    assert window.span(window.first, last + 1, CONTEXT) == ""
    assert window.span(last, window.first, CONTEXT) == ""


def test_a_stride_as_wide_as_the_window_still_comes_to_an_end(encoder):
    assert len(QuestionAnswering(window=24, stride=500).windows(record_of(), encoder)) < 100


@pytest.mark.parametrize(
    "answers",
    [
        {"text": ["Denver", "In"], "answer_start": [3, 0]},
        [{"text": "Denver", "answer_start": 3}, {"text": "In", "answer_start": 0}],
        [{"text": " Denver", "answer_start": 2}, {"text": "In ", "answer_start": 0}],
        {"text": ["Denver", "", "In"], "answer_start": [3, -1, 0]},
    ],
)
def test_answers_are_read_in_either_form(answers):
    record = QuestionAnswering().record({"context": "In Denver", "question": "Where?", "answers": answers})
    assert record["answers"] == [{"text": "Denver", "start": 3}, {"text": "In", "start": 0}]
    json.dumps(record)


@pytest.mark.parametrize("answers", [[], {"text": [], "answer_start": []}, {"text": "", "answer_start": 0}])
def test_no_answer_is_an_answer_too(answers):
    assert QuestionAnswering().record({"context": "c", "question": "q", "answers": answers})["answers"] == []


def test_an_answer_that_stands_elsewhere_is_refused_with_both():
    error = refusal({"text": ["Denver"], "answer_start": [2]})
    assert error.message == "answers: 'Denver' does not stand at 2 of context, ' Denve' does"
    assert error.mend == "it stands at 3"
    assert (
        refusal({"text": ["Rome"], "answer_start": [50]}).message
        == "answers: 'Rome' does not stand at 50 of context"
    )
    assert refusal({"text": ["Denver"], "answer_start": [-6]}).code == "answer-start"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (None, "answers is null"),
        ("Denver", "answers: want text and answer_start, got text"),
        ({"text": ["a"]}, "answers: want text and answer_start, got object without them"),
        ({"text": ["a"], "answer_start": []}, "answers: 1 text, 0 answer_start"),
        (
            {"text": [1], "answer_start": [0]},
            "answers: want a text and a whole number, got whole number and whole number",
        ),
        (
            {"text": ["I"], "answer_start": ["0"]},
            "answers: want a text and a whole number, got text and text",
        ),
    ],
)
def test_answers_that_cannot_be_used_are_refused(answers, message):
    assert refusal(answers).message == message


def test_an_empty_context_or_question_is_refused():
    assert refusal([], context="  ").message == "context is empty"
    with pytest.raises(NoTextError, match="question is null"):
        QuestionAnswering().record({"context": "c", "question": None, "answers": []})


def test_a_window_too_small_for_anything_is_refused():
    with pytest.raises(ValidationError):
        QuestionAnswering(window=8)


def test_answers_are_judged_as_squad_does():
    records = [record_of("William"), record_of()]
    found = QuestionAnswering().judge(records, ["led by William", ""])
    metrics = found.metrics(found.stats.sum(axis=0))
    assert [*metrics][:2] == ["f1", "exact_match"]
    assert metrics["f1"] == pytest.approx((0.5 + 1) / 2)


def test_the_baseline_is_words_of_the_context_as_many_as_training_answers_have():
    task = QuestionAnswering()
    records = [record_of()] * 50
    said = task.baselines([record_of("Anna Smith"), record_of("letters say so")], records)["random span"]
    assert all(each in CONTEXT for each in said)
    assert {len(each.split()) for each in said} == {2, 3}
    assert (
        said == task.baselines([record_of("Anna Smith"), record_of("letters say so")], records)["random span"]
    )
    assert set(task.baselines([record_of()], records)["random span"]) == {""}
    short = record_of(context="one")
    assert task.baselines([record_of("Anna Smith")], [short])["random span"] == ["one"]


@pytest.mark.parametrize(
    ("question", "group"),
    [
        ("Who led?", "who"),
        ("  WHAT's that", "what"),
        ("“How” is it?", "how"),
        ("In which year?", None),
        ("?", None),
    ],
)
def test_questions_are_grouped_by_what_they_ask_for(question, group):
    assert QuestionAnswering().group({"context": "c", "question": question, "answers": []}) == group
