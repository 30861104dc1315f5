"""Models of tasks as a person asks them: the same answers as in an evaluation, and how sure they are."""

import pytest

from raylm.config.errors import BadInput
from raylm.engine.answers import answers
from raylm.engine.generation import Decoding
from raylm.engine.writer_of_run import writer_of_run
from tests.engine.answers.every_task import asked, runs_in


@pytest.fixture(scope="module")
def run_of(tmp_path_factory):
    return runs_in(tmp_path_factory.mktemp("spoken"))


def speak(run, prompts, **decoding):
    writer, step = writer_of_run(run, None)
    assert step == 5
    chunks = list(writer.write(prompts, Decoding(**decoding), lambda: False))
    assert [chunk.prompt for chunk in chunks] == list(range(len(prompts)))
    assert all(chunk.is_last for chunk in chunks)
    return chunks


@pytest.mark.parametrize("kind", ["label", "label by gpt2", "labels", "value"])
def test_a_text_gets_the_class_that_an_evaluation_gives_it(run_of, kind):
    run = run_of(kind)
    respondent, exam = asked(run)
    chunks = speak(run, [record["text"] for record in exam.records], top_predictions=100)
    for chunk, answer in zip(chunks, answers(respondent, exam.records).answers, strict=True):
        if kind == "value":
            assert chunk.details["value"] == pytest.approx(answer, rel=1e-4)
            continue
        shares = {one["text"]: one["probability"] for one in chunk.details["labels"]}
        assert set(shares) == set(respondent.encoder.labels)
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
        if kind == "labels":
            assert {name for name, share in shares.items() if share > 0.5} == set(answer)
        else:
            assert chunk.text == answer == next(iter(shares))
            assert sum(shares.values()) == pytest.approx(1)


def test_as_many_classes_are_shown_as_were_asked_for(run_of):
    (chunk,) = speak(run_of("label"), ["anna sees the bird"], top_predictions=2)
    assert len(chunk.details["labels"]) == 2


@pytest.mark.parametrize("kind", ["tags", "tags by xlnet"])
def test_every_word_gets_the_tag_that_an_evaluation_gives_it(run_of, kind):
    run = run_of(kind)
    respondent, exam = asked(run)
    chunks = speak(run, [" ".join(record["words"]) for record in exam.records])
    for chunk, record, answer in zip(
        chunks, exam.records, answers(respondent, exam.records).answers, strict=True
    ):
        assert [one["text"] for one in chunk.details["words"]] == record["words"]
        assert [one["tag"] for one in chunk.details["words"]] == answer


@pytest.mark.parametrize("kind", ["span", "span by xlnet"])
def test_a_question_is_answered_from_its_passage(run_of, kind):
    run = run_of(kind)
    respondent, exam = asked(run)
    expected = answers(respondent, exam.records).answers
    for record, answer in zip(exam.records[:5], expected, strict=False):
        (chunk,) = speak(run, [record["question"]], passage=record["context"])
        assert chunk.text == chunk.details["answer"] == answer
        assert 0 < chunk.details["probability"] <= 1
        assert 0 <= chunk.details["no_answer"] <= 1


def test_what_is_missing_is_said_at_its_field(run_of):
    for kind, prompt, field in (
        ("label", " ", "prompt"),
        ("tags", "", "prompt"),
        ("span", "who?", "passage"),
    ):
        with pytest.raises(BadInput) as refused:
            speak(run_of(kind), [prompt])
        assert refused.value.problems[0].field == field


def test_a_model_that_writes_still_does(run_of):
    (chunk, *rest) = list(
        writer_of_run(run_of("text by gpt2"), None)[0].write(["anna"], Decoding(max_new_tokens=3), bool)
    )
    assert (chunk.prompt, (chunk, *rest)[-1].is_last) == (0, True)
