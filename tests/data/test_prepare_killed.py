"""A preparation that is killed loses nothing that was done, and leaves nothing behind that counts."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest

from raylm.data import describe
from raylm.data.prepare import prepare
from raylm.data.section import DataSection
from raylm.data.shards import Dataset
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.character import Character
from raylm.runs.folder import Folder
from tests.data.corpora import files_of, filtered, results

TOKENIZER = ByteBpe(vocab_size=400)

# Prepares, and kills itself at a moment: when so many results of workers came in, or files were put in place.
KILLED = """
import json, os, signal, sys
from raylm.config import discover
from raylm.data.prepare import prepare
from raylm.data.section import DataSection
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.workers import Processes
from raylm.runs.disk import Disk

discover("raylm.data.sources")
discover("raylm.data.filters")
data, storage, last = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
moments, stage = [], ""

def moment():
    moments.append(stage)
    if len(moments) == last:
        print(json.dumps([process.pid for process, _ in workers[0]._started]), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

workers = []
run = Processes.map
def counted(self, function, tasks):
    workers[:] = [self]
    for result in run(self, function, tasks):
        moment()
        yield result
Processes.map = counted

rename = Disk.rename
def put(self, source, target):
    rename(self, source, target)
    moment()
Disk.rename = put

def report(now):
    global stage
    stage = now.stage

prepare(DataSection.model_validate(data), ByteBpe(vocab_size=400), storage, report)
print(json.dumps(moments))
"""


def run_child(data, storage, last):
    command = [sys.executable, "-c", KILLED, data.model_dump_json(), str(storage), str(last)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return filtered(tmp_path_factory.mktemp("texts"), num_workers=2)


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory):
    """What a preparation gives that nobody disturbs, and the stages of its moments."""
    storage = tmp_path_factory.mktemp("undisturbed")
    child = run_child(data, storage, last=0)
    assert child.returncode == 0
    (path,) = (storage / "datasets").glob("[!.]*")
    return files_of(path), json.loads(child.stdout), results(storage)


def moments_of(stages, seed=0):
    """Draw five moments: one of each step that has many, one of all that comes after them."""
    draw = random.Random(seed)
    groups = [
        ("reading",),
        ("filtering",),
        ("comparing",),
        ("learning the tokenizer", "encoding"),
        ("writing",),
    ]
    return [draw.choice([n for n, stage in enumerate(stages, 1) if stage in group]) for group in groups]


def complete(names):
    """Return the results that say of themselves that their task was done."""
    return {
        name for name in names if not name.endswith((".arrow", ".decisions.gz")) and "hashes/" not in name
    }


def has_ended(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # whoever inherits it has not looked yet
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("number", range(5))
def test_killed_at_a_random_moment_and_run_again_it_goes_on_to_the_same_bytes(
    data, undisturbed, tmp_path, number
):
    files, stages, all_results = undisturbed
    moment = moments_of(stages)[number]
    child = run_child(data, tmp_path, moment)
    assert child.returncode == -signal.SIGKILL
    assert not list((tmp_path / "datasets").glob("[!.]*"))
    deadline = time.monotonic() + 30
    workers = json.loads(child.stdout)
    assert len(workers) == 2
    while not all(has_ended(pid) for pid in workers):
        assert time.monotonic() < deadline, "a worker outlives its caller"
        time.sleep(0.05)

    before = results(tmp_path)
    assert complete(before)
    assert set(before) <= set(all_results)
    if stages[moment - 1] != "writing":
        assert complete(before) != complete(all_results)
    again = prepare(data, TOKENIZER, str(tmp_path))
    assert not again.is_reused
    assert files_of(again.uri) == files
    after = results(tmp_path)
    assert set(after) == set(all_results)
    assert {name for name in complete(before) if after[name] != before[name]} == set()
    assert [path.name for path in (tmp_path / "datasets").glob(".preparing-*")] == []


STOPPED = """
import sys, time
from raylm.data import describe
from raylm.data.prepare import prepare
from raylm.data.section import DataSection
from raylm.data.sources.text import Text
from raylm.data.tokenizers.byte_bpe import ByteBpe

path, storage, stop_at = sys.argv[1:]
write_file = describe.write_file

def watched(folder, name, data):
    if name == stop_at:
        print("stopped", flush=True)
        time.sleep(60)
    return write_file(folder, name, data)

describe.write_file = watched
prepare(DataSection(sources=(Text(path=path, by="paragraph"),)), ByteBpe(vocab_size=300), storage)
"""


def test_a_draft_of_a_living_preparation_is_left_alone_and_of_a_killed_one_is_removed(
    section, corpus, tmp_path
):
    datasets = tmp_path / "storage" / "datasets"
    command = [sys.executable, "-c", STOPPED, str(corpus), str(datasets.parent), "ledger.json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "stopped\n"
            made = prepare(section, ByteBpe(vocab_size=300), str(datasets.parent))
            (draft,) = datasets.glob(".preparing-*")
            Dataset.open(made.uri)
        finally:
            os.kill(child.pid, signal.SIGKILL)
    prepare(section, Character(), str(datasets.parent))
    assert not draft.exists()


@pytest.mark.parametrize("place", ["storage", "data.path"])
def test_an_interrupted_upload_does_not_count_and_is_done_again(section, monkeypatch, place):
    storage = f"memory://{uuid.uuid4().hex}"
    path = f"{storage}/given" if place == "data.path" else None
    data = section.model_copy(update={"path": path})

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(describe, "write_file", fail)
        with pytest.raises(KeyboardInterrupt):
            prepare(data, Character(), storage)
    made = prepare(data, Character(), storage)
    assert not made.is_reused
    assert prepare(data, Character(), storage).is_reused


def test_processes_that_prepare_at_once_agree(section, corpus, tmp_path):
    storage = str(tmp_path / "storage")
    command = [sys.executable, "-c", STOPPED, str(corpus), storage, "never"]
    children = [subprocess.Popen(command) for _ in range(3)]
    deadline = time.monotonic() + 60
    assert [child.wait(max(0.1, deadline - time.monotonic())) for child in children] == [0, 0, 0]
    (path,) = Path(storage, "datasets").glob("[!.]*")
    made = prepare(section, ByteBpe(vocab_size=300), storage)
    assert (made.is_reused, made.uri) == (True, str(path))


def test_a_result_that_was_removed_is_made_again(data, undisturbed, tmp_path):
    files, _, _ = undisturbed
    alone = data.model_copy(update={"num_workers": 1})
    made = prepare(alone, TOKENIZER, str(tmp_path))
    before = results(tmp_path)
    removed = random.Random(1).sample(sorted(name for name in before if "tokenizer" not in name), 20)
    for name in removed:
        (tmp_path / "datasets" / ".work" / name).unlink()
    Folder.open(made.uri).remove_tree()
    again = prepare(alone, TOKENIZER, str(tmp_path))
    assert files_of(again.uri) == files
    # A new file may get the number of a removed one: that it is there again is what counts.
    assert {name for name in removed if name.endswith((".json", ".npz", ".npy"))} <= set(results(tmp_path))


def test_a_section_goes_to_another_process_whole(data):
    assert DataSection.model_validate_json(data.model_dump_json()) == data
