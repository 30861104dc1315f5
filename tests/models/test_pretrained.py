"""A model from a Hugging Face folder: training starts from its weights, and what does not fit is refused."""

import json
import subprocess
import sys

import pytest
import torch
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

from raylm.config import BadInput
from raylm.engine.export import export
from raylm.engine.restore import restore
from raylm.models import Vocabulary
from raylm.models.pretrained import Pretrained
from raylm.planning import plan, preflight
from raylm.recipe import Recipe
from raylm.runs.read import curve
from tests.families import family_recipe
from tests.tiny import train_alone


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return exported models by family."""
    root = tmp_path_factory.mktemp("models")
    storage = str(root / "runs")
    for kind in ("gpt2", "bert", "t5"):
        run = train_alone(family_recipe(kind, train={"max_steps": 40}), storage, kind)
        export(run, None, root / kind)
    return root


def recipe_from(folder, objective: str, **sections) -> Recipe:
    values = family_recipe("gpt2").model_dump(mode="json", exclude_none=True)
    values |= {"model": {"kind": "pretrained", "path": str(folder)}, "objective": {"kind": objective}}
    values.pop("tokenizer")
    for name, fields in sections.items():
        values[name] = {**values.get(name, {}), **fields}
    return Recipe.from_values(values)


@pytest.mark.parametrize(
    ("kind", "objective"), [("gpt2", "causal"), ("bert", "masked"), ("t5", "span_corruption")]
)
def test_training_goes_on_from_the_weights_with_the_models_own_tokenizer(folders, kind, objective, storage):
    recipe = recipe_from(folders / kind, objective, train={"max_steps": 10})
    assert recipe.tokenizer.kind == "pretrained"
    run = train_alone(recipe, storage, "more")
    fresh = recipe_from(folders / kind, objective, train={"max_steps": 10}, model={"has_fresh_weights": True})
    other = train_alone(fresh, storage, "fresh")
    assert curve(run, "train/loss")[0][1] < curve(other, "train/loss")[0][1] - 0.2
    assert restore(run).checkpoint.step == 10


@pytest.mark.parametrize("kind", ["gpt2", "bert", "t5"])
def test_its_arithmetic_is_its_familys_whatever_the_head(folders, kind):
    family = family_recipe(kind).model
    loaded = Pretrained(path=str(folders / kind))
    vocab_size = AutoConfig.from_pretrained(folders / kind).vocab_size
    assert loaded.head_flops_per_token(vocab_size) == family.head_flops_per_token(vocab_size)
    # Norms, biases, positions and poolers count as if they multiplied.
    assert loaded.body_flops_per_token(32) == pytest.approx(family.body_flops_per_token(32), rel=0.2)


def test_the_weights_are_the_folders_own(folders):
    for kind, head, loader in (
        ("bert", "masked", AutoModelForMaskedLM),
        ("t5", "seq2seq", AutoModelForSeq2SeqLM),
    ):
        model = Pretrained(path=str(folders / kind)).build(Vocabulary(400), 32, head)
        expected = loader.from_pretrained(folders / kind).state_dict()
        assert all(torch.equal(weight, expected[name]) for name, weight in model.state_dict().items())


def test_its_size_is_counted_without_building_it(folders):
    family = Pretrained(path=str(folders / "gpt2"))
    built = family.build(Vocabulary(400), 32, "causal")
    assert family.num_parameters(400, 32, "causal") == sum(weight.numel() for weight in built.parameters())
    figures = plan(recipe_from(folders / "gpt2", "causal"))
    assert figures.parameters == family.num_parameters(400, 32, "causal")


def problems(recipe: Recipe, storage: str) -> str:
    return "\n".join(map(str, preflight(recipe, storage)))


def test_row_67_an_objective_that_the_model_cannot_take_is_refused_before_anything_starts(folders, storage):
    said = problems(recipe_from(folders / "bert", "span_corruption"), storage)
    assert "AutoModelForSeq2SeqLM, which transformers has for no bert" in said


def test_row_43_sequences_longer_than_the_models_positions_are_refused(folders, storage):
    recipe = recipe_from(folders / "gpt2", "causal", train={"sequence_length": 64})
    said = problems(recipe, storage)
    assert "train.sequence_length: 64 tokens are more than the model's 32 positions; try 32" in said


def test_row_55_a_tokenizer_with_more_ids_than_the_model_knows_is_refused(folders, storage):
    recipe = recipe_from(
        folders / "gpt2", "causal", tokenizer={"kind": "byte_bpe", "vocab_size": 600, "special_tokens": "gpt"}
    )
    said = problems(recipe, storage)
    assert "tokenizer: has 600 ids, the model of " in said
    assert "knows 400; use the model's own tokenizer" in said


@pytest.mark.parametrize("path", ["nowhere", "some-org/some-model"])
def test_a_model_that_is_not_there_is_one_line_with_a_mend(path, folders, storage, tmp_path):
    recipe = recipe_from(tmp_path / path if path == "nowhere" else path, "causal")
    said = problems(recipe, storage)
    assert "model.path: " in said
    assert "cannot be loaded" in said
    assert "name a folder with config.json" in said


def test_code_in_the_folder_is_never_run(folders, tmp_path, storage):
    evil = tmp_path / "evil"
    evil.mkdir()
    marker = tmp_path / "ran"
    (evil / "modeling_evil.py").write_text(f"open({str(marker)!r}, 'w').close()\nclass Evil: ...\n")
    config = {"model_type": "evil", "auto_map": {"AutoConfig": "modeling_evil.Evil"}}
    (evil / "config.json").write_text(json.dumps(config))
    assert "cannot be loaded" in problems(recipe_from(evil, "causal"), storage)
    assert not marker.exists()


def test_pickled_weights_are_refused(folders, tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import torch, sys; torch.save({}, sys.argv[1])",
            str(tmp_path / "pytorch_model.bin"),
        ],
        check=True,
    )
    assert done.returncode == 0
    (tmp_path / "config.json").write_bytes((folders / "gpt2" / "config.json").read_bytes())
    with pytest.raises(BadInput, match=r"model.path: .* cannot be loaded"):
        Pretrained(path=str(tmp_path)).build(Vocabulary(400), 32, "causal")
