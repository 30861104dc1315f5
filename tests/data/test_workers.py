"""Who does the work makes no difference, and a worker never outlives whom it works for."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from raylm.config import BadInput, RunFailed
from raylm.data.filters.exact_duplicates import ExactDuplicates
from raylm.data.prepare import prepare
from raylm.data.section import DataSection
from raylm.data.sources.text import Text
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.character import Character
from raylm.data.workers import Here, Processes
from tests.data.corpora import files_of, filtered, paragraphs, results
from tests.tiny import tiny_recipe

TOKENIZER = ByteBpe(vocab_size=400)

PLUGIN = """
from typing import Literal

from raylm.data.filters import DocumentFilter, Verdict
from raylm.data.sources import Document, Input, Source


class Louder(DocumentFilter):
    kind: Literal["louder"] = "louder"

    def judge(self, source):
        return lambda text: Verdict(text.upper(), "louder")


class Squares(Source):
    kind: Literal["squares"] = "squares"
    until: int = 200

    def inputs(self):
        return (Input("even", 10), Input("odd", 10))

    def digest(self, item, progress):
        return item.name + "00"  # a block of its own

    def read(self, item):
        for number in range(item.name == "odd", self.until, 2):
            yield Document(f"the square of {number} is {number * number}", f"{item.name}:{number}")
"""


def test_the_files_are_the_same_with_any_number_of_workers(tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    data = filtered(texts)
    given = {}
    for number in (1, 2, 4):
        storage = tmp_path / str(number)
        made = prepare(data.model_copy(update={"num_workers": number}), TOKENIZER, str(storage))
        given[number] = made.digest, files_of(made.uri), {*results(storage)}
    assert given[1] == given[2] == given[4]
    _, files, kept = given[1]
    assert len([name for name in kept if name.startswith("read/") and name.endswith(".arrow")]) == 7
    counts = json.loads(files["ledger.json"])["sources"]
    assert [each["removed"] for each in counts] == [
        {},
        {"exact_duplicates": {"exact_duplicate": 10}},
        {"exact_duplicates": {"exact_duplicate": 10}, "near_duplicates": {"near_duplicate": 10}},
    ]
    assert counts[1]["changed"] == {"personal_data": {"email": 5}}


def test_a_file_of_several_blocks_gives_the_same_with_any_number_of_workers(tmp_path):
    some = paragraphs(3000, seed=0)
    with (tmp_path / "x.txt").open("w", encoding="utf-8") as file:
        for number in range(10):  # copies, so that 9 MB are made and filtered in a moment
            file.write("\n\n".join(some) + f"\n\nThis was copy {number}.\n\n")
            file.write(f"{number} is new. " * 30_000 + "\n\n")
    source = Text(path=str(tmp_path / "x.txt"), by="paragraph")
    data = DataSection(sources=(source,), filters=(ExactDuplicates(),), split_by="document")
    given = {}
    for number in (1, 2):
        storage = tmp_path / str(number)
        made = prepare(data.model_copy(update={"num_workers": number}), Character(), str(storage))
        given[number] = files_of(made.uri)
        assert len(list(storage.glob("datasets/.work/read/*.arrow"))) >= 3
        assert made.index.num_documents == 3000 + 2 * 10
    assert given[1] == given[2]


class Recipe:
    """A recipe with kinds of a plug-in, prepared through the command line."""

    def __init__(self, folder):
        self.folder = folder
        self.plugin = folder / "plugin.py"
        self.plugin.write_text(PLUGIN)
        self.path = folder / "recipe.yaml"
        values = tiny_recipe().model_dump(mode="json", exclude_unset=True)
        sources = [{"kind": "squares"}, {"kind": "squares", "until": 300}]
        filters = [{"kind": "louder"}, {"kind": "exact_duplicates"}]
        data = {"sources": sources, "filters": filters}
        self.path.write_text(json.dumps({**values, "plugins": [str(self.plugin)], "data": data}))

    def prepare(self, *arguments, storage="storage"):
        command = [sys.executable, "-m", "raylm", "prepare", str(self.path), "--json"]
        command += ["--storage", str(self.folder / storage), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def recipe(tmp_path):
    return Recipe(tmp_path)


def test_kinds_of_a_plugin_work_in_other_processes(recipe):
    here = recipe.prepare("data.num_workers=1", storage="here")
    there = recipe.prepare("data.num_workers=2", storage="there")
    assert here["digest"] == there["digest"]
    assert here["documents"] == 300
    louder = next(each for each in there["filters"] if each["kind"] == "louder")
    assert louder["changed"] == {"louder": 500}


def test_a_changed_plugin_is_not_taken_for_the_one_before(recipe):
    first = recipe.prepare()
    recipe.plugin.write_text(PLUGIN.replace("text.upper()", "text.title()"))
    second = recipe.prepare()
    assert not second["is_reused"]
    assert second["digest"] != first["digest"]


@pytest.mark.ray
def test_ray_data_gives_the_same_with_filters_and_plugins(recipe):
    here = recipe.prepare("data.num_workers=1", storage="here")
    assert recipe.prepare("--ray", storage="there")["digest"] == here["digest"]


@pytest.fixture
def processes():
    with Processes(2) as started:
        yield started


def test_each_task_is_answered_once_with_its_number(processes):
    for workers in (Here(), processes):
        assert dict(workers.map(len, ["a" * n for n in range(20)])) == {n: n for n in range(20)}
        assert list(workers.map(len, [])) == []
        assert dict(workers.map(sum, [[1, 2]])) == {0: 3}


def test_no_more_processes_are_started_than_there_are_tasks():
    with Processes(8) as started:
        assert dict(started.map(len, ["abc"])) == {0: 3}
        assert len(started._started) == 1


def test_tasks_larger_than_a_pipe_are_no_matter(processes):
    assert dict(processes.map(len, ["a" * 3_000_000] * 5)) == dict.fromkeys(range(5), 3_000_000)
    assert {len(text) for _, text in processes.map("".join, [["a" * 3_000_000]] * 5)} == {3_000_000}


def test_a_worker_that_dies_at_work_is_told_with_what_helps(processes):
    dict(processes.map(len, ["a", "b"]))
    first = processes._started[0][0]
    waiting = processes.map(time.sleep, [1, 1])
    os.kill(first.pid, signal.SIGKILL)
    with pytest.raises(RunFailed, match=r"a preparing process died \(exit code -9\)") as caught:
        next(waiting)
    assert "lower data.num_workers" in caught.value.mend


def test_a_worker_that_died_between_two_steps_is_told_too(processes):
    dict(processes.map(len, ["a", "b"]))
    for process, _ in processes._started:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with pytest.raises(RunFailed, match="a preparing process died"):
        dict(processes.map(len, ["a", "b"]))


def test_the_persons_mistake_comes_back_whole_from_a_worker(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("good text\n" * 20)
    (tmp_path / "3.txt").write_bytes(b"good\nb\xffd\n")
    sources = tuple(Text(path=str(tmp_path / f"{number}.txt")) for number in range(4))
    errors = []
    for number in (1, 2):
        data = DataSection(sources=sources, num_workers=number)
        with pytest.raises(BadInput) as caught:
            prepare(data, Character(), str(tmp_path / "storage"))
        errors.append(caught.value.problems)
    assert errors[0] == errors[1]
    assert (errors[0][0].field, errors[0][0].code) == ("data.sources.3.path", "encoding")


def test_workers_end_with_an_error_of_the_caller():
    started = Processes(2)
    with contextlib.suppress(KeyboardInterrupt), started:
        next(started.map(time.sleep, [0, 60, 60]))
        raise KeyboardInterrupt
    assert [process.returncode for process, _ in started._started] == [-signal.SIGKILL] * 2


CALLER = """
import sys, time
from raylm.data.workers import Processes

with Processes(2) as processes:
    for number, _ in processes.map(time.sleep, [0, 0, *map(float, sys.argv[1:])]):
        if number == 1:
            print(*(process.pid for process, _ in processes._started), flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("tasks", [(), ("1.5", "1.5")], ids=["waiting", "at work"])
def test_workers_end_when_their_caller_is_killed(tasks):
    command = [sys.executable, "-c", CALLER, *tasks]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as caller:
        workers = [psutil.Process(int(pid)) for pid in caller.stdout.readline().split()]
        assert len(workers) == 2
        os.kill(caller.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in workers):
            assert time.monotonic() < deadline, "a worker outlives its caller"
            time.sleep(0.05)
        assert caller.stderr.read() == ""


def test_nothing_is_lost_with_a_killed_worker(tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    data = filtered(texts, num_workers=2)
    storage = str(tmp_path / "storage")
    own = psutil.Process()

    def kill_one(now):
        if now.stage == "comparing" and not now.done:
            workers = [child for child in own.children() if "raylm.data.workers" in child.cmdline()]
            workers[0].kill()

    with pytest.raises(RunFailed, match=r"lower data\.num_workers"):
        prepare(data, TOKENIZER, storage, kill_one)
    assert [child for child in own.children() if "raylm.data.workers" in child.cmdline()] == []
    before = results(storage)
    done = [name for name in before if name.endswith(".json")]
    assert {name.partition("/")[0] for name in done} == {"read", "clean"}
    alone = data.model_copy(update={"num_workers": 1})
    made = prepare(alone, TOKENIZER, storage)
    after = results(storage)
    assert [name for name in done if after[name] != before[name]] == []
    clean = prepare(alone, TOKENIZER, str(tmp_path / "clean"))
    assert files_of(made.uri) == files_of(clean.uri)
