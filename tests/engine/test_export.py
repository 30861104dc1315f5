"""An exported folder is a plain Hugging Face model: transformers alone gives the same numbers."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from raylm.config import BadInput
from raylm.data.trained_tokenizer import TrainedTokenizer
from raylm.engine.export import export
from raylm.engine.restore import restore
from raylm.runs.run import Run
from tests.tiny import tiny_recipe, train_alone

TEXT = "First Citizen:\nBefore we proceed"
MODELS = {"gpt2": {}, "llama": {"num_key_value_heads": 1, "is_tied": False, "dropout": 0.0}}
PLAIN_PROCESS = """
import json, sys
from transformers import AutoModelForCausalLM, AutoTokenizer
import torch

def load(folder, text):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, loading = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
    with torch.no_grad():
        logits = model.eval()(ids).logits
    generated = model.generate(ids[:, :5], max_new_tokens=8, do_sample=False)
    return {
        "ids": ids.tolist(),
        "logits": logits.tolist(),
        "decoded": tokenizer.decode(ids[0]),
        "generated": tokenizer.decode(generated[0]),
        "missing": sorted(loading["missing_keys"]),
    }

text, *folders = sys.argv[1:]
found = {folder: load(folder, text) for folder in folders}
assert not [name for name in sys.modules if name.startswith("raylm")]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Run]:
    """Return a trained run of each family."""
    storage = str(tmp_path_factory.mktemp("export"))
    recipes = {
        kind: tiny_recipe(model={"kind": kind, **fields}, train={"max_steps": 10})
        for kind, fields in MODELS.items()
    }
    return {kind: train_alone(recipe, storage, kind) for kind, recipe in recipes.items()}


@pytest.fixture
def run(runs) -> Run:
    return runs["gpt2"]


def load_in_a_plain_process(folder: Path, names: Iterable[str]) -> dict[str, dict]:
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_PROCESS, TEXT, *names],
        cwd=folder,  # where no raylm lies
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_transformers_alone_loads_the_folder_and_gives_the_same_logits(runs, tmp_path):
    for name, run in runs.items():
        assert export(run, None, tmp_path / name) == 10
    for name, theirs in load_in_a_plain_process(tmp_path, runs).items():
        assert theirs["missing"] == []
        assert theirs["decoded"] == TEXT
        assert theirs["generated"].startswith(TEXT[:5])
        restored = restore(runs[name])
        ids = restored.tokenizer(TEXT, return_tensors="pt", add_special_tokens=False).input_ids
        assert ids.tolist() == theirs["ids"]
        with torch.no_grad():
            logits = restored.model(ids).logits
        torch.testing.assert_close(torch.tensor(theirs["logits"]), logits, rtol=1e-5, atol=1e-5)


def test_an_earlier_step_is_exported_where_it_is_named(run, tmp_path):
    assert export(run, 5, tmp_path / "five") == 5
    export(run, 10, tmp_path / "ten")
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("five", "ten")]
    assert weights[0] != weights[1]


def test_a_folder_that_holds_something_is_refused_and_left_as_it_is(run, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(BadInput, match=r"--to: .* is not empty; name a new folder"):
        export(run, None, tmp_path)
    with pytest.raises(BadInput, match="is not empty"):
        export(run, None, tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_told_before_the_model_is_loaded(run, tmp_path, monkeypatch):
    (tmp_path / "mine.txt").write_text("x")
    monkeypatch.setattr("raylm.engine.export.restore", None)
    with pytest.raises(BadInput) as refused:
        export(run, None, tmp_path / "mine.txt" / "model")
    place = tmp_path / "mine.txt" / "model"
    assert str(refused.value) == f"--to: {place} cannot be written: Not a directory; choose another folder"


def test_nothing_is_written_where_the_checkpoint_is_not_there(run, tmp_path):
    with pytest.raises(BadInput):
        export(run, 7, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_that_has_lost_its_tokenizer_is_told_in_a_line(run, tmp_path):
    kept, away = Path(run.uri) / "tokenizer", tmp_path / "tokenizer"
    kept.rename(away)
    try:
        with pytest.raises(BadInput, match="tokenizer: gpt2 has lost its tokenizer"):
            export(run, None, tmp_path / "out")
    finally:
        away.rename(kept)
    assert not (tmp_path / "out").exists()


def test_only_weights_configuration_tokenizer_and_card_leave_the_run(run, tmp_path):
    export(run, None, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "generation_config.json",
        "README.md",
    } <= names
    assert all(name.endswith((".json", ".safetensors", ".jinja")) for name in names - {"README.md"})


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_every_file_has_the_mode_that_the_umask_gives(run, tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        export(run, None, tmp_path / "out")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()} == {mode}


@pytest.mark.parametrize("family", ["gpt", "bert", "roberta", "t5", "xlnet"])
def test_generation_ends_and_pads_with_the_ids_of_the_tokenizers_family(family, tmp_path):
    tokenizer = {"kind": "byte_bpe", "vocab_size": 400, "special_tokens": family}
    recipe = tiny_recipe(tokenizer=tokenizer, train={"max_steps": 5})
    run = train_alone(recipe, str(tmp_path), "run")
    prepared = TrainedTokenizer.load(tmp_path / "run" / "tokenizer")
    export(run, None, tmp_path / "out")
    config = json.loads((tmp_path / "out" / "generation_config.json").read_text())
    assert restore(run).tokenizer.eos_token_id == prepared.eos_token_id == config["eos_token_id"]
    pad = prepared.pad_token_id
    assert config["pad_token_id"] == (prepared.eos_token_id if pad is None else pad)
