import os
import signal
import subprocess
import sys
import time
import uuid

import pytest

from raylm.data import build
from raylm.data.prepare import prepare
from raylm.data.shards import Dataset
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.character import Character
from raylm.runs.folder import Folder

PREPARE = """
import sys, time
from raylm.data import build, writer
from raylm.data.prepare import prepare
from raylm.data.section import DataSection
from raylm.data.sources.text import Text
from raylm.data.tokenizers.byte_bpe import ByteBpe

path, storage, stop_at = sys.argv[1:]

def stop(name):
    if name == stop_at:
        print("stopped", flush=True)
        time.sleep(60)

write_file = build.write_file
def watched(folder, name, data):
    stop(name)
    return write_file(folder, name, data)
build.write_file = watched

def report(now):
    stop(now.stage)

prepare(DataSection(sources=(Text(path=path, by="paragraph"),)), ByteBpe(vocab_size=300), storage, report)
"""


def files_of(uri):
    root = Folder.open(uri).local_path()
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "stop_at", ["learning the tokenizer", "encoding", "tokenizer/tokenizer.json", "ledger.json"]
)
def test_a_killed_preparation_leaves_nothing_and_is_done_again(section, corpus, tmp_path, stop_at):
    storage = tmp_path / "storage"
    command = [sys.executable, "-c", PREPARE, str(corpus), str(storage), stop_at]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "stopped\n"
        os.kill(child.pid, signal.SIGKILL)
    (draft,) = (storage / "datasets").iterdir()
    assert draft.name.startswith(".preparing-")

    again = prepare(section, ByteBpe(vocab_size=300), str(storage))
    assert not again.is_reused
    assert [path.name for path in (storage / "datasets").iterdir()] == [again.digest]
    clean = prepare(section, ByteBpe(vocab_size=300), str(tmp_path / "clean"))
    assert files_of(again.uri) == files_of(clean.uri)


def test_a_draft_of_a_living_preparation_is_left_alone(section, corpus, tmp_path):
    storage = tmp_path / "storage"
    command = [sys.executable, "-c", PREPARE, str(corpus), str(storage), "ledger.json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "stopped\n"
            made = prepare(section, ByteBpe(vocab_size=300), str(storage))
            assert len(list((storage / "datasets").iterdir())) == 2
            Dataset.open(made.uri)
        finally:
            child.kill()


def test_an_interrupted_upload_does_not_count(section, monkeypatch):
    storage = f"memory://{uuid.uuid4().hex}"

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build, "write_file", fail)
        with pytest.raises(KeyboardInterrupt):
            prepare(section, Character(), storage)
    (digest,) = (Folder.open(storage) / "datasets").names()
    assert not (Folder.open(storage) / "datasets" / digest).exists("index.json")
    made = prepare(section, Character(), storage)
    assert (made.digest, made.is_reused) == (digest, False)


def test_processes_that_prepare_at_once_agree(section, corpus, tmp_path):
    command = [sys.executable, "-c", PREPARE, str(corpus), str(tmp_path / "storage"), "never"]
    children = [subprocess.Popen(command) for _ in range(3)]
    deadline = time.monotonic() + 60
    assert [child.wait(max(0.1, deadline - time.monotonic())) for child in children] == [0, 0, 0]
    (path,) = (tmp_path / "storage" / "datasets").iterdir()
    assert Dataset.open(path).digest == path.name
    assert prepare(section, ByteBpe(vocab_size=300), str(tmp_path / "storage")).is_reused
