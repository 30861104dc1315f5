"""A precision left to the hardware is decided when a run is launched, and then stands."""

import pytest
import torch

from raylm.api import launch
from raylm.planning.precision import settled
from raylm.recipe import Recipe
from raylm.runs.read import read
from tests.tiny import tiny_recipe


@pytest.fixture(params=["", "avx512_bf16", "amx_bf16", "bf16"])
def processor(request, monkeypatch):
    """A processor with or without an instruction for products of bfloat16."""
    found = {"architecture": "any", "avx2": True, **({request.param: True} if request.param else {})}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    return request.param


def test_auto_is_what_the_processor_multiplies(processor):
    recipe = settled(tiny_recipe(train={"precision": "auto"}))
    assert recipe.train.precision == ("bfloat16" if processor else "float32")


@pytest.mark.parametrize("processor", [""], indirect=True)
def test_auto_is_bfloat16_on_a_gpu(processor):
    recipe = tiny_recipe(train={"precision": "auto"}, scaling={"num_workers": 1, "gpus_per_worker": 1})
    assert settled(recipe).train.precision == "bfloat16"


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_a_recipe_says_stands(precision, processor):
    recipe = tiny_recipe(train={"precision": precision})
    assert settled(recipe) is recipe


def test_a_resume_computes_in_what_the_run_began_with(storage, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    recipe = tiny_recipe(train={"max_steps": 5, "precision": "auto"})
    run = launch.train(recipe, "a", storage)
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    launch.resume(run, ["train.max_steps=8"])
    assert Recipe.from_yaml(run.recipe_yaml()).train.precision == "bfloat16"
    started = [event for event in read(run, "events")[0] if event["event"] == "started"]
    assert [event["precision"] for event in started] == ["bfloat16", "bfloat16"]
