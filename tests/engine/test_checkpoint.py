"""What a checkpoint holds comes back whole, and a damaged, foreign or hostile one is refused in words."""

import io
import shutil
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from torch.distributed import checkpoint as dcp

from raylm.api.launch import resume
from raylm.config import BadInput
from raylm.engine import checkpoint
from raylm.engine.restore import restore
from raylm.engine.shards import _MetadataUnpickler
from raylm.engine.world import World
from raylm.models import Vocabulary
from raylm.models.gpt2 import GPT2
from raylm.recipe import Recipe
from raylm.runs.manifest import FileEntry, parse_manifest
from raylm.runs.read import curve
from raylm.runs.run import Run
from tests.tiny import CORPUS, tiny_recipe, train_alone

ALONE = World(0, 1, torch.device("cpu"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    """Return a run of 20 steps with checkpoints at 10, 15 and 20; tests change copies of it."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copy(CORPUS, folder / "corpus.txt")
    source = {"kind": "text", "path": str(folder / "corpus.txt")}
    return train_alone(tiny_recipe(data={"sources": [source]}), str(folder / "runs"), "trained")


@pytest.fixture
def run(trained, storage) -> Run:
    shutil.copytree(trained.storage, storage)
    return Run.open(storage, trained.run_id)


def files_of(run: Run, step: int) -> Path:
    path = run.checkpoints.open(step).local_path()
    assert path is not None
    return path


def rewrite(run: Run, step: int, name: str, data: bytes) -> None:
    """Replace a file and make the manifest anew, as somebody who wants to be believed would."""
    folder = files_of(run, step)
    (folder / name).write_bytes(data)
    manifest = parse_manifest((folder / "manifest.json").read_bytes(), "")
    entry = FileEntry(name, len(data), sha256(data).hexdigest())
    files = tuple(entry if one.name == name else one for one in manifest.files)
    (folder / "manifest.json").write_bytes(replace(manifest, files=files).to_bytes())
    run.checkpoints.verify(step)


@pytest.mark.parametrize(
    "function", ["os system", "posix system", "builtins eval", "torch load", "torch.serialization load"]
)
def test_an_index_that_would_run_a_program_is_refused_and_nothing_runs(run, tmp_path, function):
    marker = tmp_path / "it-ran"
    name = "\n".join(function.split())
    evil = f"c{name}\n(S'touch {marker}'\ntR.".encode()
    rewrite(run, 20, ".metadata", evil)
    with pytest.raises(BadInput, match=f"names {function.replace(' ', '.')}.*tampered"):
        restore(run)
    assert not marker.exists()


def test_an_index_that_takes_an_attribute_of_anything_but_an_enumeration_is_refused(run):
    """`getattr` is how some Pythons pickle an enumeration's member; it could lead to any function."""
    evil = b"cbuiltins\ngetattr\n(ctorch\nSize\nS'__init__'\ntR."
    rewrite(run, 20, ".metadata", evil)
    with pytest.raises(BadInput, match=r"names builtins\.getattr.*tampered"):
        restore(run)


def test_an_enumeration_s_member_pickled_by_its_name_is_read():
    """As Python 3.11.0 to 3.11.3 write the index."""
    kind, name = "torch.distributed.checkpoint.metadata\n_MEM_FORMAT_ENCODING", "TORCH_PRESERVE_FORMAT"
    written = f"cbuiltins\ngetattr\n(c{kind}\nS'{name}'\ntR.".encode()
    assert _MetadataUnpickler(io.BytesIO(written)).load().name == name


def test_the_index_used_in_these_tests_would_run_a_program(tmp_path):
    marker = tmp_path / "it-ran"
    (tmp_path / "evil").write_bytes(f"cos\nsystem\n(S'touch {marker}'\ntR.".encode())
    subprocess.run([sys.executable, "-m", "pickle", str(tmp_path / "evil")], check=True, capture_output=True)
    assert marker.exists()


def test_a_shard_that_holds_no_tensors_is_refused_in_words_and_runs_nothing(run):
    shard = files_of(run, 20) / "rank-00000.distcp"
    rewrite(run, 20, shard.name, b"cos\nsystem\n(S'exit 3'\ntR." * (shard.stat().st_size // 26 + 1))
    with pytest.raises(BadInput, match=r"rank-00000\.distcp"):
        restore(run)


@pytest.mark.parametrize("data", [b"", b"not a pickle", b"\x80\x04."])
def test_an_index_that_is_none_is_refused_in_words(run, data):
    rewrite(run, 20, ".metadata", data)
    with pytest.raises(BadInput, match=r"\.metadata"):
        restore(run)


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ({"hidden_size": 64}, r"transformer\.wte\.weight is \(\d+, 32\) in the checkpoint and \(\d+, 64\)"),
        ({"num_layers": 3}, r"the checkpoint has no model\.transformer\.h\.2\."),
    ],
)
def test_row_93_another_models_checkpoint_is_refused_with_both_shapes(run, shape, says):
    vocab_size = restore(run).model.config.vocab_size
    shape = {"num_layers": 2, "num_heads": 2, "hidden_size": 32, **shape}
    model = GPT2(**shape).build(Vocabulary(vocab_size), 32)
    with pytest.raises(BadInput, match=says):
        checkpoint.load(run.checkpoints.open(20), checkpoint.model_tensors(model), ALONE)


def test_row_93_a_resume_with_another_shape_is_bad_input(run):
    with pytest.raises(BadInput, match=r"model\.hidden_size: is 64, the checkpoint .* was made with 32"):
        resume(run, ["model.hidden_size=64", "train.max_steps=30"])
    assert run.status().status == "finished"
    assert run.checkpoints.steps() == [10, 15, 20]


def test_torchs_own_reader_reads_the_shards(run):
    restored = restore(run)
    mine = checkpoint.model_tensors(restored.model)
    reader = dcp.FileSystemReader(files_of(run, 20))
    saved = reader.read_metadata().state_dict_metadata
    theirs = {name: torch.zeros(tuple(saved[name].size)) for name in saved}
    dcp.load(theirs, storage_reader=reader, no_dist=True)
    assert {name for name in theirs if name.startswith("model.")} == set(mine)
    assert all(torch.equal(theirs[name], tensor) for name, tensor in mine.items())
    assert theirs["optimizer.transformer.wte.weight.step"].item() == 20
    assert theirs["optimizer.transformer.wte.weight.exp_avg_sq"].max() > 0


def test_optimizer_and_weights_come_back_bit_for_bit(trained, tmp_path):
    torch.manual_seed(0)
    model = GPT2(num_layers=2, num_heads=2, hidden_size=32).build(Vocabulary(65), 32)
    optimizer = tiny_recipe().optimizer.build(model)
    tensors = checkpoint.state_tensors(model, optimizer)
    for value in tensors.values():
        value.normal_()
    saved = {name: value.clone() for name, value in tensors.items()}
    run = Run.create(str(tmp_path), "whole")
    checkpoint.save(run.checkpoints, checkpoint.Position(step=3), tensors, ALONE, {}, "a1")
    for value in tensors.values():
        value.zero_()
    checkpoint.load(run.checkpoints.open(3), tensors, ALONE)
    assert all(torch.equal(tensors[name], value) for name, value in saved.items())
    assert len(saved) == 4 * len(list(model.parameters()))


def test_preparing_the_optimizers_state_moves_no_weight():
    model = GPT2(num_layers=1, num_heads=2, hidden_size=32).build(Vocabulary(65), 32)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    optimizer = tiny_recipe().optimizer.build(model)
    checkpoint.state_tensors(model, optimizer)
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())
    assert {group["lr"] for group in optimizer.param_groups} == {tiny_recipe().optimizer.learning_rate}


def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_it_used(run, trained):
    shard = files_of(run, 20) / "rank-00000.distcp"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(bytes(data))
    resume(run, ["train.max_steps=25"])
    events = {event["event"]: event for event in run.events()}
    assert "rank-00000.distcp: its checksum differs" in events["checkpoint_bad"]["reason"]
    assert events["resumed"]["step"] == 15
    assert (run.status().status, run.status().step) == ("finished", 25)
    assert curve(run, "train/loss")[:20] == curve(trained, "train/loss")


def test_rows_49_and_58_changed_data_is_refused_on_resume(run):
    (corpus,) = Recipe.from_yaml(run.recipe_yaml()).data.sources
    text = Path(corpus.path).read_text()
    Path(corpus.path).write_text(text.replace("First", "Second"))
    with pytest.raises(BadInput, match=r"the prepared data is \w{12}, the checkpoint's was \w{12}"):
        resume(run, ["train.max_steps=25"])
    assert run.status().step == 20
    Path(corpus.path).write_text(text)
    resume(run, ["train.max_steps=21"])
    assert run.status().step == 21


def test_a_step_that_is_not_there_or_damaged_is_refused_by_name(run):
    with pytest.raises(BadInput, match=r"has no checkpoint of step 7; there are: \[10, 15, 20\]"):
        restore(run, 7)
    (files_of(run, 10) / "rank-00000.distcp").unlink()
    with pytest.raises(BadInput, match=r"rank-00000\.distcp: missing"):
        restore(run, 10)


def test_a_run_without_a_checkpoint_says_when_to_come_back(storage):
    with pytest.raises(BadInput, match=r"fresh has no checkpoint yet; wait for its first one"):
        restore(Run.create(storage, "fresh"))
