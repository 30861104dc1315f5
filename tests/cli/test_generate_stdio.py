"""`raylm generate --stdio` as another program sees it: a real process, lines in and lines out."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from queue import Queue

import pytest

from tests.tiny import tiny_recipe, train_alone


@pytest.fixture(scope="module")
def storage(tmp_path_factory) -> str:
    storage = str(tmp_path_factory.mktemp("stdio"))
    train_alone(tiny_recipe(train={"max_steps": 5}), storage, "gpt")
    return storage


class Speaker:
    """A running process, and what it says."""

    def __init__(self, storage: str, *options: str, run: str = "gpt") -> None:
        command = [sys.executable, "-m", "raylm", "generate", run, "--stdio", "--storage", storage, *options]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ)
        self._lines: Queue[bytes] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def say(self, *lines: object) -> None:
        """Write lines: bytes as they are, anything else as JSON."""
        assert self.process.stdin is not None
        for line in lines:
            self.process.stdin.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> dict:
        return json.loads(self._lines.get(timeout=60))

    def hear_until(self, kind: str) -> list[dict]:
        heard = [self.hear()]
        while heard[-1]["type"] != kind:
            heard.append(self.hear())
        return heard

    def ended(self) -> int:
        return self.process.wait(timeout=60)


@pytest.fixture
def start(storage) -> Iterator:
    started = []

    def make(*options: str, **where: str) -> Speaker:
        started.append(Speaker(storage, *options, **where))
        return started[-1]

    yield make
    for speaker in started:
        if speaker.process.poll() is None:
            speaker.process.kill()
        speaker.process.wait()


@pytest.fixture(scope="module")
def shared(storage) -> Iterator[Speaker]:
    """Return a process that many tests ask; each leaves it waiting for the next request."""
    speaker = Speaker(storage)
    ready = speaker.hear()
    assert ready["type"] == "ready"
    yield speaker
    speaker.say({"type": "quit"})
    assert speaker.hear() == {"type": "bye", "reason": "quit"}
    assert speaker.ended() == 0


def ask(id_: str, **fields: object) -> dict:
    return {"id": id_, "type": "generate", "prompt": "ROMEO:", "max_new_tokens": 5, "seed": 1, **fields}


def test_it_says_what_it_is_and_answers_what_is_asked_before_its_input_ends(start):
    speaker = start()
    speaker.say(ask("a"), ask("b", prompt=None, prompts=["ROMEO:", "JULIET:"]))
    speaker.process.stdin.close()
    ready, *rest = speaker.hear_until("bye")
    facts = {"type": "ready", "run_id": "gpt", "step": 5, "family": "gpt2", "head": "GPT2LMHeadModel"}
    assert ready.items() >= {**facts, "writes": "causal", "context": 32}.items()
    alone = "".join(line["text"] for line in rest if line.get("id") == "a" and line["type"] == "piece")
    first, second = (
        "".join(line["text"] for line in rest if line.get("id") == "b" and line.get("prompt") == number)
        for number in (0, 1)
    )
    assert len(alone) == len(first) == len(second) == 5
    assert alone == first
    done = [line for line in rest if line["type"] == "done"]
    assert [(line["id"], line["reason"], line["num_tokens"]) for line in done] == [
        ("a", "finished", 5),
        ("b", "finished", 10),
    ]
    assert all(line["seconds"] >= line["seconds_to_first"] > 0 for line in done)
    assert rest[-1] == {"type": "bye", "reason": "closed"}
    assert speaker.ended() == 0


@pytest.mark.parametrize(
    ("line", "id_", "field", "says"),
    [
        (b"nope\n", None, "", "not JSON"),
        (b"[1]\n", None, "", "a list"),
        (b"[" * 100_000 + b"\n", None, "", "not JSON"),
        (b"\xff\xfe\n", None, "", "not JSON"),
        (b'"' + b"x" * 1_100_000 + b'"\n', None, "", "more than 1,000,000 bytes"),
        (ask("1", type="generat"), "1", "type", "is no request"),
        (ask("1", type=["generate"]), "1", "type", "is no request"),
        (ask("1", max_tokens=5), "1", "max_tokens", "unknown field"),
        (ask("1", temperature=-1), "1", "temperature", ">= 0 and <= 10, got -1"),
        (ask("1", temperature=float("nan")), "1", "temperature", "got nan"),
        (ask("1", max_new_tokens=True), "1", "max_new_tokens", "got true"),
        (ask("1", seed="1"), "1", "seed", "got '1'"),
        (ask("1", prompts=["a"]), "1", "prompts", "one of the two"),
        (ask("1", prompt=None), "1", "prompts", "one of the two"),
        (ask("1", prompt=None, prompts=["a", 5]), "1", "prompts.1", "got 5"),
        (ask("1", prompt="\ud800"), "1", "prompt", "half a surrogate pair"),
        (ask("1", num_beams=2, max_new_tokens=100), "1", "max_new_tokens", "stays within the model's 32"),
        ({"type": "generate", "prompt": "a"}, None, "id", "missing"),
        ({"type": "cancel"}, None, "id", "missing"),
        ({"type": "quit", "now": True}, None, "now", "unknown field"),
    ],
)
def test_a_line_that_is_wrong_costs_one_line_and_the_process_lives_on(shared, line, id_, field, says):
    shared.say(line, ask("next", max_new_tokens=1))
    error, *rest = shared.hear_until("done")
    assert (error["type"], error["id"], error["field"]) == ("error", id_, field)
    assert says in error["message"]
    assert [each["type"] for each in rest] == ["piece", "done"]
    assert rest[-1]["id"] == "next"


def test_requests_wait_for_each_other_and_their_order_stays(shared):
    shared.say(*(ask(str(number)) for number in range(4)))
    heard = [line for _ in range(4) for line in shared.hear_until("done")]
    assert [line["id"] for line in heard] == sorted(line["id"] for line in heard)


def test_cancelling_stops_what_is_written_and_what_waits(shared):
    shared.say(ask("long", max_new_tokens=100_000), ask("waits"), ask("stays", max_new_tokens=2))
    assert shared.hear()["type"] == "piece"
    shared.say(
        {"id": "waits", "type": "cancel"},
        {"id": "nobody", "type": "cancel"},
        {"id": "long", "type": "cancel"},
    )
    heard = shared.hear_until("done") + shared.hear_until("done")
    done = [line for line in heard if line["type"] == "done"]
    assert [(line["id"], line["reason"]) for line in done] == [("waits", "cancelled"), ("long", "cancelled")]
    assert 0 < done[1]["num_tokens"] < 100_000
    after = shared.hear_until("done")
    assert {line["id"] for line in after} == {"stays"}
    assert after[-1]["reason"] == "finished"


def test_an_id_that_is_in_use_is_refused(shared):
    shared.say(ask("twice", max_new_tokens=100_000), ask("twice"))
    heard = shared.hear_until("error")
    assert (heard[-1]["id"], heard[-1]["field"]) == ("twice", "id")
    shared.say({"id": "twice", "type": "cancel"})
    assert shared.hear_until("done")[-1]["reason"] == "cancelled"


def test_quitting_ends_at_once_whatever_is_written(start):
    speaker = start()
    speaker.say(ask("long", max_new_tokens=100_000), ask("waits"))
    speaker.hear_until("piece")
    speaker.say({"type": "quit"})
    *_, waits, long, bye = speaker.hear_until("bye")
    assert [(line["id"], line["reason"]) for line in (waits, long)] == [
        ("waits", "cancelled"),
        ("long", "cancelled"),
    ]
    assert bye["reason"] == "quit"
    assert speaker.ended() == 0


def test_it_ends_when_nobody_asks_anything_for_a_while(start):
    speaker = start("--idle-seconds", "0.6")
    speaker.hear_until("ready")
    ready = time.monotonic()
    time.sleep(0.4)
    speaker.say(ask("a"))
    speaker.hear_until("done")
    assert speaker.hear() == {"type": "bye", "reason": "idle"}
    assert time.monotonic() - ready >= 1.0
    assert speaker.ended() == 0


def test_it_ends_when_nobody_reads_any_more(storage):
    read, write = os.pipe()
    command = [sys.executable, "-m", "raylm", "generate", "gpt", "--stdio", "--storage", storage]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=write, stderr=subprocess.PIPE) as process:
        os.close(write)
        assert b"ready" in os.read(read, 1000)
        os.close(read)
        _, errors = process.communicate(json.dumps(ask("a", max_new_tokens=100_000)).encode(), timeout=60)
    assert (process.returncode, errors) == (0, b"")


def test_what_is_printed_by_libraries_is_no_answer(storage):
    code = (
        "import sys, os\n"
        "from raylm.engine.generation.stdio import Channel\n"
        "channel = Channel()\n"
        "print('noise'); os.write(1, b'more noise'); channel.send(type='ready')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == '{"type": "ready"}\n'
    assert "more noise" in done.stderr
    assert "noise\n" in done.stderr


def test_a_run_that_is_not_there_is_said_in_a_line_and_in_the_exit_code(start):
    speaker = start(run="gpd")
    error = speaker.hear()
    assert (error["type"], error["id"]) == ("error", None)
    assert "gpd" in error["message"]
    assert speaker.ended() == 2
