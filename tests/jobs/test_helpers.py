"""Helper processes that hold weights: real ones, of real tiny checkpoints."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from raylm.config.errors import BadInput
from raylm.jobs.helper import CheckpointPlace
from raylm.jobs.helper_pool import HelperPool
from raylm.jobs.writing import PAGE, Writing
from tests.tiny import tiny_recipe, train_alone

ENDLESS = {"max_new_tokens": 100_000, "temperature": 0}  # the likeliest token is never the end
SHORT = {"max_new_tokens": 5, "seed": 1}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    storage = str(tmp_path_factory.mktemp("helpers"))
    return train_alone(tiny_recipe(train={"max_steps": 10}), storage, "gpt")


@pytest.fixture
def at(run):
    return lambda step: CheckpointPlace(run.uri, run.storage, step)


@pytest.fixture
def pool() -> Iterator[HelperPool]:
    pool = HelperPool(most=2)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[HelperPool]:
    """Return a pool that several tests ask; each leaves its processes waiting for the next prompt."""
    pool = HelperPool(most=2)
    yield pool
    pool.close()


def until(pool: HelperPool, id_: str, is_enough) -> dict:
    """Read until an answer is enough; its text is all that came."""
    text, cursor, deadline = "", 0, time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = pool.written(id_, cursor)
        text, cursor = text + answer["text"], answer["cursor"]
        if is_enough({**answer, "text": text}):
            return {**answer, "text": text}
        time.sleep(0.02)
    raise AssertionError(answer)


def done(pool: HelperPool, id_: str) -> dict:
    return until(pool, id_, lambda answer: answer["is_done"])


def writes(answer: dict) -> bool:
    return answer["state"] == "writing" and bool(answer["text"])


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_two_checkpoints_write_at_once_and_their_processes_are_asked_again(shared, at):
    first, second = (shared.ask(at(step), "ROMEO:", ENDLESS) for step in (5, 10))
    assert shared.written(first, 0)["state"] == "loading"
    for id_ in (first, second):
        until(shared, id_, writes)
    assert not shared.written(first, 0)["is_done"], "the first still writes while the second does"
    pids = {helper.pid for helper in shared.helpers()}
    assert len(pids) == 2
    for id_ in (first, second):
        shared.interrupt(id_)
        answer = done(shared, id_)
        assert (answer["state"], answer["figures"]["reason"]) == ("done", "cancelled")
        assert 0 < answer["figures"]["num_tokens"] < ENDLESS["max_new_tokens"]
        assert answer["figures"]["tokens_per_second"] > 0
    again = done(shared, shared.ask(at(5), "ROMEO:", SHORT))
    assert len(again["text"]) == 5
    assert again["details"]["reason"] == "length"
    assert {helper.pid for helper in shared.helpers()} == pids


def test_what_is_asked_before_the_weights_are_there_can_be_taken_back(pool, at):
    taken_back, stays = (pool.ask(at(5), "ROMEO:", SHORT) for _ in range(2))
    pool.interrupt(taken_back)
    assert pool.written(taken_back, 0)["state"] == "done"
    assert len(done(pool, stays)["text"]) == 5
    assert done(pool, taken_back)["text"] == ""


def test_a_killed_process_says_so_and_the_next_prompt_starts_another(pool, at):
    id_ = pool.ask(at(5), "ROMEO:", ENDLESS)
    until(pool, id_, writes)
    (killed,) = pool.helpers()
    os.kill(killed.pid, signal.SIGKILL)
    answer = done(pool, id_)
    assert answer["state"] == "failed"
    assert answer["text"], "what was written stays"
    assert "ended (signal 9)" in answer["error"]["message"]
    assert len(done(pool, pool.ask(at(5), "ROMEO:", SHORT))["text"]) == 5
    assert pool.helpers()[0].pid != killed.pid


def test_a_process_that_fails_tells_the_last_lines_of_its_errors(pool, run, monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.exit('the disk is on fire')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answer = done(pool, pool.ask(CheckpointPlace(run.uri, run.storage, 5), "ROMEO:", SHORT))
    assert answer["state"] == "failed"
    assert "the disk is on fire" in answer["error"]["message"]


def test_a_checkpoint_that_is_not_there_is_an_error_with_its_mend(pool, at):
    error = done(pool, pool.ask(at(7), "ROMEO:", SHORT))["error"]
    assert "no checkpoint" in error["message"]
    assert "there are: 5, 10" in error["mend"]


def test_a_value_that_the_model_refuses_is_an_error_at_its_field(shared, at):
    id_ = shared.ask(at(5), "ROMEO:", {"num_beams": 2, "max_new_tokens": 500})
    assert done(shared, id_)["error"]["field"] == "max_new_tokens"


def test_it_ends_when_nobody_asks_and_starts_again_when_somebody_does(at):
    pool = HelperPool(idle_seconds=1.0)
    done(pool, pool.ask(at(5), "ROMEO:", SHORT))
    (helper,) = pool.helpers()
    deadline = time.monotonic() + 30
    while is_running(helper.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(helper.pid)
    assert pool.helpers() == []
    assert len(done(pool, pool.ask(at(5), "ROMEO:", SHORT))["text"]) == 5
    pool.close()


def test_the_one_that_was_not_asked_for_longest_makes_room(at):
    pool = HelperPool(most=1)
    writing = pool.ask(at(5), "ROMEO:", ENDLESS)
    until(pool, writing, writes)
    (first,) = pool.helpers()
    other = pool.ask(at(10), "ROMEO:", SHORT)
    assert "room for another" in done(pool, writing)["error"]["message"]
    assert len(done(pool, other)["text"]) == 5
    assert not is_running(first.pid)
    assert len(pool.helpers()) == 1
    pool.close()


def test_it_ends_with_the_interpreter(run):
    program = (
        "import sys, time\n"
        "from raylm.jobs.helper import CheckpointPlace\n"
        "from raylm.jobs.helper_pool import shared_pool\n"
        "pool = shared_pool()\n"
        f"id_ = pool.ask(CheckpointPlace({run.uri!r}, {run.storage!r}, 5), 'a', {ENDLESS!r})\n"
        "while not pool.written(id_, 0)['text']: time.sleep(0.02)\n"
        "print(pool.helpers()[0].pid, *[name for name in ('torch', 'transformers') if name in sys.modules])\n"
    )
    printed = subprocess.check_output([sys.executable, "-c", program], text=True, timeout=60).split()
    assert len(printed) == 1, "neither torch nor transformers was imported beside it"
    assert not is_running(int(printed[0]))


def test_many_threads_ask_one_process(shared, at):
    ids: list[str] = []
    threads = [
        threading.Thread(target=lambda: ids.append(shared.ask(at(5), "ROMEO:", SHORT))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({helper.pid for helper in shared.helpers() if helper.checkpoint.step == 5}) == 1
    assert len({done(shared, id_)["text"] for id_ in ids}) == 1


def test_an_id_that_is_unknown_and_a_prompt_that_is_too_long_are_refused(shared, at):
    with pytest.raises(BadInput, match="nothing is being written"):
        shared.written("x", 0)
    with pytest.raises(BadInput, match="prompt") as refused:
        shared.ask(at(5), "ü" * 300_000, SHORT)
    assert refused.value.problems[0].field == "prompt"


def test_an_answer_has_a_bounded_size_and_nothing_is_lost():
    writing = Writing()
    text = "".join(chr(97 + number % 26) for number in range(3 * PAGE))
    for start in range(0, len(text), 100):
        writing.add(text[start : start + 100], {})
    masks = [[{"text": "x" * 10_000, "probability": 0.5}] * 1000] * 1000
    writing.add("", {"masks": masks})
    writing.finish({"reason": "finished"})
    read, cursor, answer = "", 0, {"is_done": False}
    while not answer["is_done"]:
        answer = writing.since(cursor)
        read, cursor = read + answer["text"], answer["cursor"]
        assert len(answer["text"]) <= PAGE
    assert read == text
    assert len(answer["details"]["masks"]) == 400
    assert len(json.dumps(answer)) < 3_000_000
    assert writing.since(10**9)["is_done"]
