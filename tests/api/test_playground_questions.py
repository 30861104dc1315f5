"""What the playground asks: abilities from real tiny runs, text from a real process."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from raylm.api.store import Store
from raylm.jobs.helper_pool import shared_pool
from raylm.runs import Run
from tests.asking import ask, result
from tests.engine.answers.every_task import runs_in
from tests.families import family_recipe
from tests.tiny import tiny_recipe, train_alone


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder whose `runs` hold a GPT of two checkpoints, a RoBERTa and a T5."""
    folder = tmp_path_factory.mktemp("playground")
    storage = str(folder / "runs")
    train_alone(tiny_recipe(train={"max_steps": 10}), storage, "gpt")
    for family in ("roberta", "t5"):
        train_alone(family_recipe(family, train={"max_steps": 5}), storage, family)
    return folder


@pytest.fixture(scope="module")
def run_of(folder):
    return runs_in(folder)


@pytest.fixture(scope="module")
def store(folder) -> Iterator[Store]:
    yield Store(str(folder / "runs"), folder=folder)
    shared_pool().close()


def generate(store: Store, run_id: str, step: int, prompt: str, **decoding) -> str:
    return result(store, "generate", run_id=run_id, step=step, prompt=prompt, decoding=decoding)["writing_id"]


def finished(store: Store, writing_id: str) -> dict:
    text, cursor, deadline = "", 0, time.monotonic() + 90
    while time.monotonic() < deadline:
        answer = result(store, "written", writing_id=writing_id, cursor=cursor)
        text, cursor = text + answer["text"], answer["cursor"]
        if answer["is_done"]:
            return {**answer, "text": text}
        time.sleep(0.05)
    raise AssertionError(answer)


def test_runs_with_a_checkpoint_are_listed(store, folder):
    Run.create(folder / "runs", "20990101-000000-empty-0000", {"name": "empty"})
    listed = {run["run_id"]: run["steps"] for run in result(store, "playground_runs")}
    assert listed["gpt"] == [5, 10]
    assert "20990101-000000-empty-0000" not in listed


@pytest.mark.parametrize(
    ("run_id", "does", "family", "says"),
    [
        ("gpt", "continue", "gpt2", "Goes on"),
        ("roberta", "fill_mask", "roberta", "[MASK]"),
        ("t5", "write", "t5", "<extra_id_0>"),
    ],
)
def test_a_run_says_what_it_can_do(store, run_id, does, family, says):
    can = result(store, "playground", run_id=run_id)
    assert (can["does"], can["family"], can["passage"]) == (does, family, "")
    assert says in can["help"]


def test_the_fields_of_the_form_have_limits_and_defaults(store):
    fields = {field["name"]: field for field in result(store, "playground", run_id="gpt")["fields"]}
    assert list(fields) == ["temperature", "top_p", "top_k", "max_new_tokens", "num_beams", "seed"]
    temperature = fields["temperature"]
    assert (temperature["minimum"], temperature["maximum"], temperature["default"]) == (0, 10, 0.8)
    assert (temperature["type"], temperature["title"]) == ("number", "Temperature")
    assert [field["name"] for field in result(store, "playground", run_id="roberta")["fields"]] == [
        "top_predictions"
    ]


@pytest.mark.parametrize(
    ("kind", "does", "passage"),
    [("label", "classify", ""), ("tags", "tag", ""), ("span", "answer", "Passage")],
)
def test_a_run_of_a_task_is_asked_as_its_task_asks(store, run_of, kind, does, passage):
    run = run_of(kind)
    can = result(store, "playground", run_id=run.run_id)
    assert (can["does"], can["passage"]) == (does, passage)
    decoding = {"passage": "anna sees the bird"} if passage else {}
    details = finished(store, generate(store, run.run_id, 5, "what sees anna", **decoding))["details"]
    shown = {"classify": "labels", "tag": "words", "answer": "probability"}[does]
    assert details[shown]


def test_a_run_that_learned_a_task_of_text_shows_its_template(store, run_of):
    can = result(store, "playground", run_id=run_of("text by t5").run_id)
    assert (can["does"], can["example"]) == ("write", "translate: {source}")


def test_bad_values_are_one_problem_for_each_field(store):
    wrong = {"temperature": 11, "top_p": 0, "max_new_tokens": "many", "colour": "red"}
    error = ask(store, "generate", run_id="gpt", step=5, prompt="a", decoding=wrong)["error"]
    assert {problem["field"] for problem in error["problems"]} == set(wrong)
    assert result(store, "decoding_problems", decoding=wrong) == error["problems"]
    assert result(store, "decoding_problems", decoding={"temperature": 1}) == []


def test_what_is_not_there_is_refused(store):
    for method, args, says in (
        ("generate", {"run_id": "gpt", "step": 7, "prompt": "a", "decoding": {}}, "no checkpoint 7"),
        ("generate", {"run_id": "none", "step": 5, "prompt": "a", "decoding": {}}, "no run"),
        ("generate", {"run_id": "gpt", "step": 5, "prompt": None, "decoding": {}}, "must be text"),
        ("written", {"writing_id": "x"}, "nothing is being written"),
        ("interrupt", {"writing_id": "x"}, "nothing is being written"),
    ):
        assert says in ask(store, method, **args)["error"]["message"]


def test_two_checkpoints_are_asked_at_once_and_two_stores_see_the_same(store, folder):
    first, second = (generate(store, "gpt", step, "ROMEO:", max_new_tokens=20, seed=1) for step in (5, 10))
    other = Store(str(folder / "runs"))
    answers = [finished(other, id_) for id_ in (first, second)]
    assert all(answer["error"] is None for answer in answers)
    assert all(answer["figures"]["num_tokens"] == 20 for answer in answers)
    assert answers[0]["text"] != answers[1]["text"]
    assert finished(store, first)["text"] == answers[0]["text"]


def test_what_is_written_can_be_interrupted(store):
    id_ = generate(store, "gpt", 5, "ROMEO:", max_new_tokens=100_000, temperature=0)
    while not result(store, "written", writing_id=id_)["text"]:
        time.sleep(0.02)
    result(store, "interrupt", writing_id=id_)
    assert finished(store, id_)["figures"]["reason"] == "cancelled"


def test_masks_are_filled_with_candidates(store):
    id_ = generate(store, "roberta", 5, "to be or not to [MASK]", top_predictions=3)
    (mask,) = finished(store, id_)["details"]["masks"]
    assert len(mask) == 3
    assert all(0 < one["probability"] < 1 for one in mask)
    error = finished(store, generate(store, "roberta", 5, "no mask here"))["error"]
    assert (error["field"], "holds no mask" in error["message"]) == ("prompt", True)
