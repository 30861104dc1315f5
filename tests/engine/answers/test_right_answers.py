"""A model that knows the targets is judged right, whatever stands beside a row in its batch."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from raylm.data.row_task import Encoded
from raylm.engine.answers import answers
from raylm.engine.answers.likelihood import windows_of
from raylm.engine.answers.spans import likeliest
from tests.engine.answers.every_task import asked, runs_in


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a function that gives the trained run of a kind of answer."""
    return runs_in(tmp_path_factory.mktemp("trained"))


class Knowing:
    """Stands for a model that has learned the targets of some rows by heart."""

    device = torch.device("cpu")

    def __init__(self, model, known):
        self.config = model.config
        self.known = known
        self.calls = 0

    def eval(self):
        return self

    def __call__(self, input_ids, attention_mask, **_):
        self.calls += 1
        noise = torch.Generator().manual_seed(self.calls)
        shape = (*input_ids.shape, max(3, self.config.num_labels))
        out = SimpleNamespace(logits=torch.rand(shape, generator=noise))
        out.start_logits, out.end_logits = out.logits[..., 0].clone(), out.logits[..., 1].clone()
        out.text = torch.full((len(input_ids), self.config.num_labels), -1.0)
        for row, (ids, mask) in enumerate(zip(input_ids, attention_mask.bool(), strict=True)):
            self.fill(out, row, int(mask.nonzero()[0]), self.known[tuple(ids[mask].tolist())])
        return out


class KnowsText(Knowing):
    def fill(self, out, row, start, target):
        if self.config.problem_type == "regression":
            out.text[row, 0] = target[0]
        else:
            out.text[row, target] = 1.0
        out.logits = out.text


class KnowsWords(Knowing):
    def fill(self, out, row, start, target):
        for place, tag in enumerate(target, start):
            if tag >= 0:
                out.logits[row, place, tag] = 9.0


class KnowsSpans(Knowing):
    def fill(self, out, row, start, target):
        out.start_logits[row, start + target[0]] = 9.0
        out.end_logits[row, start + target[1]] = 9.0


KNOWING = {
    "label": KnowsText,
    "labels": KnowsText,
    "value": KnowsText,
    "tags": KnowsWords,
    "tags by xlnet": KnowsWords,
    "span": KnowsSpans,
    "span by xlnet": KnowsSpans,
}


def knowing(respondent, records, kind):
    rows = [row for record in records for row in respondent.task.encode(record, respondent.encoder)]
    model = KNOWING[kind](respondent.model, {tuple(row.tokens): list(row.target) for row in rows})
    return replace(respondent, model=model, tokens_per_batch=100)


@pytest.mark.parametrize("kind", KNOWING)
def test_a_model_that_knows_the_targets_is_judged_right(trained, kind):
    respondent, exam = asked(trained(kind), "train", may_abstain=True)
    records = apart(respondent, exam.records)
    perfect = knowing(respondent, records, kind)
    judged = exam.task.judge(records, answers(perfect, records).answers)
    metrics = judged.metrics(judged.stats.sum(axis=0))
    assert perfect.model.calls > 3
    assert len(records) > 10
    errors = {"rmse", "mae"}
    assert metrics == {name: pytest.approx(0 if name in errors else 1, abs=1e-6) for name in metrics}


def apart(respondent, records):
    """Return the records that are read whole, and share no window with another that has another target."""
    known, found = {}, []
    for record in records:
        targets = {tuple(row.tokens): tuple(row.target) for row in rows_of(respondent, record)}
        if is_whole(respondent, record) and {**targets, **known} == {**known, **targets}:
            known |= targets
            found.append(record)
    return found


def is_whole(respondent, record):
    """Whether the model can read all that is asked of a record, its answer in one window."""
    rows = rows_of(respondent, record)
    is_there = not record.get("answers") or any(row.target[0] != row.target[1] for row in rows)
    return is_there and all(len(row.tokens) <= 32 for row in rows)


def rows_of(respondent, record):
    return respondent.task.encode(record, respondent.encoder)


def test_a_question_without_an_answer_gets_words_where_none_were_learned(trained):
    respondent, exam = asked(trained("span"), "train")
    silent = [each for each in exam.records if not each["answers"]]
    perfect = knowing(respondent, silent, "span")
    assert len(silent) > 3
    assert set(answers(replace(perfect, may_abstain=True), silent).answers) == {""}
    found = answers(perfect, silent).answers
    assert all(text and text in record["context"] for text, record in zip(found, silent, strict=True))


def test_words_that_were_not_read_are_tagged_as_nothing(trained):
    respondent, exam = asked(trained("tags"))
    record = exam.records[0] | {"words": [*["anna"] * 60], "tags": ["B-PER"] * 60}
    names = list(respondent.encoder.labels)

    class Tags(KnowsWords):
        def __call__(self, input_ids, attention_mask, **_):
            logits = torch.zeros(*input_ids.shape, len(names))
            logits[..., names.index("B-PER")] = 1.0
            return SimpleNamespace(logits=logits)

    found = answers(replace(respondent, model=Tags(respondent.model, {})), [record]).answers[0]
    num_read = found.index("O")
    assert 0 < num_read < 60
    assert found == ["B-PER"] * num_read + ["O"] * (60 - num_read)


def test_the_likeliest_span_is_that_of_all_pairs():
    rng = np.random.default_rng(0)
    for length in (1, 2, 7, 40):
        first, last = rng.normal(size=(2, length)).astype(np.float32)
        score, start, stop = likeliest(first, last, longest=5)
        pairs = [(first[a] + last[b], a, b) for a in range(length) for b in range(a, min(length, a + 5))]
        assert (start, stop) == max(pairs)[1:]
        assert score == pytest.approx(max(pairs)[0])
    assert likeliest(np.zeros(0), np.zeros(0))[0] == -np.inf


@pytest.mark.parametrize("length", [1, 4, 10, 50])
def test_windows_ask_for_each_learned_token_once(length):
    is_learned = [0, 0, 1, 1, 1, 0, 0, 1] * 5
    rows = windows_of(Encoded(range(100, 140), is_learned), length)
    asked_for = [int(token) for row in rows for token, one in zip(*row.arrays, strict=True) if one]
    assert asked_for == [100 + place for place, one in enumerate(is_learned) if one]
    assert all(len(row.arrays[0]) <= length + 1 for row in rows)
    assert all(not row.arrays[1][0] for row in rows[1:])  # the first token of a window is only read


def test_a_likelihood_is_the_sum_over_the_answers_tokens(trained):
    respondent, exam = asked(trained("likelihood of chats"), "train")
    rows = [(each, *rows_of(respondent, each)) for each in exam.records]
    record, encoded = next((each, row) for each, row in rows if len(row.tokens) <= 33)
    with torch.no_grad():
        logits = respondent.model(input_ids=torch.tensor([encoded.tokens])).logits[0].log_softmax(-1)
    learned = [place for place, one in enumerate(encoded.target) if one]
    expected = sum(float(logits[place - 1, encoded.tokens[place]]) for place in learned)
    (found,) = answers(respondent, [record]).answers
    assert found == {"log_probability": pytest.approx(expected, rel=1e-5), "num_tokens": len(learned)}


@pytest.mark.parametrize("kind", ["text by gpt2", "text by llama", "text by t5"])
def test_a_text_is_the_likeliest_token_each_time(trained, kind):
    respondent, exam = asked(trained(kind))
    model, encoder, task = respondent.model, respondent.encoder, exam.task
    for record in exam.records[:3]:
        if model.config.is_encoder_decoder:
            source = encoder.whole(task.prompt(record)).ids
            ids, read = [model.config.decoder_start_token_id], len(source)
            source = [*source[:31], encoder.eos_token_id] if read > 32 else source
        else:
            source, ids = None, encoder.plain(task.decoder_prompt(record)).ids[-27:]
        written = []
        while len(written) < task.max_answer_tokens:
            given = {"input_ids": torch.tensor([source or ids])}
            given |= {"decoder_input_ids": torch.tensor([ids])} if source else {}
            with torch.no_grad():
                token = int(model(**given).logits[0, -1].argmax())
            if token == encoder.eos_token_id:
                break
            written.append(token)
            ids = [*ids, token]
        special = set(encoder.vocabulary.special_ids)
        expected = encoder.tokenizer.decode([token for token in written if token not in special])
        assert answers(respondent, [record]).answers == [expected]
