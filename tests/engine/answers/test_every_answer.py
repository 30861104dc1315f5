"""Every kind of answer, from real models: one for each record, the same whatever the company."""

from dataclasses import replace

import numpy as np
import pytest

from raylm.engine.answers import answers
from tests.engine.answers.every_task import KINDS, asked, runs_in


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function that gives the trained run of a kind of answer."""
    return runs_in(tmp_path_factory.mktemp("trained"))


def same(found, expected):
    if isinstance(expected, dict):
        return found == {**expected, "log_probability": pytest.approx(expected["log_probability"], rel=1e-5)}
    return found == (pytest.approx(expected, rel=1e-4, abs=1e-5) if isinstance(expected, float) else expected)


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_answered_in_company_as_alone(trained, kind):
    respondent, exam = asked(trained(kind), "train")
    together = answers(respondent, exam.records).answers
    alone = [answers(replace(respondent, tokens_per_batch=1), [one]).answers[0] for one in exam.records]
    assert len(together) == len(exam.records) > 10
    assert all(same(*pair) for pair in zip(together, alone, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_what_the_task_judges(trained, kind):
    respondent, exam = asked(trained(kind), may_abstain=True)
    judged = exam.task.judge(exam.records, answers(respondent, exam.records).answers)
    metrics = judged.metrics(judged.stats.sum(axis=0))
    assert metrics
    assert np.isfinite([*metrics.values()]).all()


def test_the_share_of_the_work_that_is_done_is_told(trained):
    told = []
    respondent, exam = asked(trained("label"))
    answers(replace(respondent, report=told.append, tokens_per_batch=64), exam.records)
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1] == 1.0


@pytest.mark.parametrize("kind", ["label", "tags", "text by gpt2", "likelihood"])
def test_records_longer_than_the_model_reads_are_told_of(trained, kind):
    respondent, exam = asked(trained(kind))
    long = {
        name: value * 20
        if isinstance(value, list)
        else f"{value} " * 20
        if name in ("text", "source")
        else value
        for name, value in exam.records[0].items()
    }
    found = answers(respondent, [exam.records[0], long])
    assert len(found.answers) == 2
    assert found.notes[0].startswith("1 of 2 ")
