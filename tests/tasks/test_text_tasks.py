"""What holds for every task that writes, and what each makes of its rows."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from raylm.config.choice import discover
from raylm.data.records import NoTextError
from raylm.data.text_encoder import TextEncoder
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.unigram import Unigram
from raylm.tasks import Task
from raylm.tasks.code_generation import CodeGeneration
from raylm.tasks.text_generation import TextGeneration
from raylm.tasks.translation import Translation

TESTS: dict[str, Any] = {"test_field": "test", "entry_point_field": "entry_point"}
HEAD = 'def add(a, b):\n    """Return the sum."""\n'
BODY = "    return a + b\n"
CHECK = "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(0, 0) == 0\n"
ROWS = {
    "summarization": {"document": "It rained all day. The river rose.", "summary": "The river rose."},
    "translation": {"source": "the cat sleeps here now", "target": "die Katze schläft jetzt hier"},
    "grammar_correction": {"source": "he go to the school", "target": "he goes to the school"},
    "code_generation": {"prompt": HEAD, "canonical_solution": BODY, "test": CHECK, "entry_point": "add"},
    "code_explanation": {"code": "def read_json(path): ...", "description": "read a json file"},
    "text_generation": {"text": "once upon a time"},
    "chat": {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]},
}
discover("raylm.tasks")
TASKS: dict[str, Any] = {kind: Task.model_validate({"kind": kind}) for kind in ROWS}
FIRST_METRIC = dict.fromkeys(ROWS, "rougeL") | {
    "translation": "bleu",
    "grammar_correction": "gleu",
    "code_generation": "parse_rate",
    "text_generation": "bits_per_byte",
    "chat": "bits_per_byte",
}
EVERY = pytest.mark.parametrize("kind", sorted(ROWS))
EVERY_WRITER = pytest.mark.parametrize("kind", sorted(set(ROWS) - {"text_generation", "chat"}))


@pytest.fixture(scope="module")
def decoder():
    return TextEncoder(ByteBpe(vocab_size=300).train(iter(["the cat sat"] * 5)), "supervised")


@pytest.fixture(scope="module")
def seq2seq():
    return TextEncoder(Unigram(vocab_size=400, special_tokens="t5").train(iter(["the cat sat"])), "seq2seq")


def record(kind, **values):
    return TASKS[kind].record({**ROWS[kind], **values})


def metrics(task, records, answers):
    judged = task.judge(records, answers)
    assert judged.stats.shape[0] == judged.quality.shape[0] == len(records)
    return judged.metrics(judged.stats.sum(axis=0))


# every task


@EVERY
def test_a_kind_is_found_by_its_name_with_the_usual_fields(kind):
    assert TASKS[kind].kind == kind
    assert json.dumps(TASKS[kind].settings())


@EVERY
def test_a_record_is_json_and_its_texts_are_those_of_the_row(kind):
    found = record(kind)
    assert json.loads(json.dumps(found)) == found
    texts = TASKS[kind].texts(found)
    assert all(
        text in json.dumps(ROWS[kind], ensure_ascii=False).replace("\\n", "\n").replace('\\"', '"')
        for text in texts
    )


@EVERY
def test_a_row_without_its_fields_is_refused_with_what_there_is(kind):
    with pytest.raises(NoTextError) as error:
        TASKS[kind].record({"other": 1})
    assert error.value.name in TASKS[kind].field_names()


@EVERY
def test_learned_tokens_end_with_the_end_of_the_text(kind, decoder):
    (row,) = TASKS[kind].encode(record(kind), decoder)
    assert len(row.tokens) == len(row.target)
    assert set(row.target) == {0, 1}
    assert (row.tokens[-1], row.target[-1]) == (decoder.eos_token_id, 1)
    assert row.target[0] == 0


@EVERY
def test_baselines_are_answers_that_can_be_judged(kind):
    task, rows = TASKS[kind], [record(kind)] * 2
    for answers in task.baselines(rows, rows).values():
        found = metrics(task, rows, answers)
        assert next(iter(found)) == FIRST_METRIC[kind]
        assert all(np.isfinite(value) for value in found.values())


@EVERY
def test_metrics_of_a_resample_are_those_of_the_rows_it_drew(kind):
    task, rows = TASKS[kind], [record(kind)] * 3
    (answers,) = task.baselines(rows, rows).values()
    judged = task.judge(rows, answers)
    drawn = np.array([0, 2, 0]) @ judged.stats
    assert judged.metrics(drawn) == pytest.approx(metrics(task, [rows[1]] * 2, [answers[1]] * 2))


# tasks that write


@EVERY_WRITER
def test_the_target_as_answer_is_the_best(kind):
    task, rows = TASKS[kind], [record(kind)]
    right = metrics(task, rows, [rows[0]["target"]])
    wrong = metrics(task, rows, ["(qqq"])
    first = FIRST_METRIC[kind]
    assert right[first] > wrong[first]
    assert wrong[first] == pytest.approx(0, abs=15)


@EVERY_WRITER
def test_prompt_and_answer_of_a_decoder_are_one_text(kind, decoder):
    task, row = TASKS[kind], record(kind)
    (encoded,) = task.encode(row, decoder)
    given = decoder.plain(task.decoder_prompt(row)).ids
    assert list(encoded.tokens[: len(given)]) == given
    assert sum(encoded.target) == len(encoded.tokens) - len(given)
    text = f"{task.prompt(row)}{task.answer_start}{row['target']}<|endoftext|>"
    assert decoder.tokenizer.decode(encoded.tokens) == text


@EVERY_WRITER
def test_an_encoder_reads_the_prompt_and_a_decoder_learns_the_target(kind, seq2seq):
    task, row = TASKS[kind], record(kind)
    (encoded,) = task.encode(row, seq2seq)
    assert seq2seq.tokenizer.decode(encoded.tokens) == f"{task.prompt(row)}</s>"
    assert seq2seq.tokenizer.decode(encoded.target) == f"{row['target']}</s>"


def test_prompts_begin_with_what_is_to_be_done():
    assert TASKS["summarization"].prompt(record("summarization")).startswith("summarize: It rained")
    assert TASKS["translation"].prompt(record("translation")).startswith("translate: the cat")
    assert TASKS["code_generation"].prompt(record("code_generation")) == HEAD
    task = Translation(prompt_template="English {{en}}: {source}")
    assert task.prompt({"source": "a {b}"}) == "English {en}: a {b}"


@pytest.mark.parametrize("template", ["translate", "{other}", "{source} {other}", "{source!r}", "{source"])
def test_a_prompt_has_a_place_for_the_source_and_for_nothing_else(template):
    with pytest.raises(ValidationError):
        Translation(prompt_template=template)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"source": ""}, "source is empty"),
        ({"source": None}, "source is null"),
        ({"source": 1}, "source: want text, got whole number"),
        ({"source": ["a"]}, "source: want text, got list"),
        ({"target": "  "}, "target is empty"),
        ({"target": []}, "target is an empty list"),
        ({"target": ["a", None]}, "target.1 is null"),
        ({"target": {}}, "target: want text, got object"),
    ],
)
def test_a_row_without_source_or_target_is_refused(values, message):
    with pytest.raises(NoTextError) as error:
        record("translation", **values)
    assert error.value.message == message


def test_fields_may_be_inside_others():
    task = Translation(source_field="translation.en", target_field="translation.de")
    assert task.record({"translation": {"en": "cat", "de": "Katze"}}) == {"source": "cat", "target": "Katze"}
    assert task.record({"translation.en": "cat", "translation.de": "Katze"})["target"] == "Katze"


def test_of_several_targets_the_first_is_learned_and_each_is_right(decoder):
    task = TASKS["translation"]
    row = record("translation", target=["one two three four", "five six seven eight"])
    assert row["targets"] == ["one two three four", "five six seven eight"]
    (encoded,) = task.encode(row, decoder)
    assert decoder.tokenizer.decode(encoded.tokens).endswith("\none two three four<|endoftext|>")
    for answer in row["targets"]:
        assert metrics(task, [row], [answer]) == {"bleu": pytest.approx(100), "chrf": pytest.approx(100)}
    assert task.texts(row) == (row["source"], *row["targets"])
    assert record("translation", target=["one"]) == record("translation", target="one")


# each task


def test_the_lead_is_the_first_sentence_or_the_first_item():
    rows = [
        record("summarization"),
        record("summarization", document=["One thing. Another thing.", "A third."]),
        record("summarization", document="no sentence ends here"),
    ]
    assert rows[1]["source"] == "One thing. Another thing. A third."
    assert TASKS["summarization"].baselines([], rows) == {
        "lead-1": ["It rained all day.", "One thing. Another thing.", "no sentence ends here"]
    }


def test_a_document_without_sentences_is_refused():
    for document in ([], [""], ["a", 1]):
        with pytest.raises(NoTextError):
            record("summarization", document=document)


def test_a_correction_that_is_right_beats_one_that_was_left_out():
    task, rows = TASKS["grammar_correction"], [record("grammar_correction")]
    left = metrics(task, rows, task.baselines([], rows)["left unchanged"])
    assert left["exact_match"] == 0
    assert metrics(task, rows, [rows[0]["target"]]) == {"gleu": pytest.approx(100), "exact_match": 1}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def read_json(path): ...", "read json"),
        ("public static int parseHTTPHeader(String line) {", "parse http header"),
        ("func (s *Server) ListenAndServe() error {", "listen and serve"),
        ("x = 1", ""),
    ],
)
def test_a_function_is_explained_by_its_name(code, words):
    assert TASKS["code_explanation"].baselines([], [record("code_explanation", code=code)]) == {
        "the function's name in words": [words]
    }


def test_code_is_run_only_on_request():
    task, row = TASKS["code_generation"], record("code_generation")
    assert "test" not in row
    assert task.field_names() == ("prompt", "canonical_solution")
    assert metrics(task, [row] * 2, ["    return 0\n", "return ("]) == {"parse_rate": 0.5}


def test_answers_that_pass_their_tests_are_told_from_those_that_only_parse():
    task = CodeGeneration(runs_code=True, **TESTS)
    row = task.record(ROWS["code_generation"])
    answers = ["    return a + b\n", "    return a\n", "return (", "    import os; os._exit(0)\n"]
    judged = task.judge([row] * 4, answers)
    assert judged.metrics(judged.stats.sum(axis=0)) == {"pass_rate": 0.25, "parse_rate": 0.75}
    assert judged.quality.tolist() == [2, 1, 0, 1]


def test_tests_may_be_lines_that_run_by_themselves():
    task = CodeGeneration(runs_code=True, test_field="test_list")
    tests = ["assert add(1, 2) == 3", "assert add(1, 1) == 2"]
    values = {"prompt": "Write add.", "canonical_solution": f"def add(a, b):\n{BODY}", "test_list": tests}
    row = task.record(values)
    assert metrics(task, [row] * 2, [row["target"], "def add(a, b):\n    return 3\n"])["pass_rate"] == 0.5


@pytest.mark.parametrize(
    "values", [{"test": "assert ("}, {"test": []}, {"entry_point": "a b"}, {"canonical_solution": None}]
)
def test_rows_of_code_that_cannot_be_tested_are_refused(values):
    with pytest.raises(NoTextError):
        CodeGeneration(**TESTS).record({**ROWS["code_generation"], **values})
    with pytest.raises(ValidationError, match="test_field"):
        CodeGeneration(runs_code=True)


def test_the_nearest_solution_is_that_of_the_prompt_most_like_it():
    solutions = {"sort a list of numbers": "first", "reverse a string": "second"}
    train = [{"source": prompt, "target": solution} for prompt, solution in solutions.items()]
    rows = [record("code_generation", prompt="reverse this string")]
    assert TASKS["code_generation"].baselines(train, rows) == {"nearest training solution": ["second"]}
    assert TASKS["code_generation"].baselines([], rows) == {}


def test_a_text_without_a_prompt_is_learned_from_its_first_token(decoder):
    (row,) = TASKS["text_generation"].encode(record("text_generation"), decoder)
    assert row.tokens[0] == decoder.eos_token_id
    assert row.target == [0, *[1] * (len(row.tokens) - 1)]


def test_a_prompt_before_a_text_is_not_learned(decoder):
    task = TextGeneration(prompt_field="title")
    found = task.record({"title": "A tale: ", "text": "once"})
    (row,) = task.encode(found, decoder)
    assert sum(row.target) == len(decoder.plain("once").ids) + 1
    assert decoder.tokenizer.decode(row.tokens) == "A tale: once<|endoftext|>"
    assert task.texts(found) == (task.prompt(found), "once")
