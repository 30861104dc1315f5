"""Exported models of every family give, in a process without raylm, what they give here: numbers and text."""

import json
import subprocess
import sys

import pytest
import torch

from raylm.engine.export import export
from raylm.engine.restore import restore
from tests.families import FAMILIES, family_recipe
from tests.tiny import train_alone

TEXT = "What say you to this? First Citizen: we are"
PLAIN = """
import json, sys
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, pipeline

def fill_mask(folder):
    fill = pipeline("fill-mask", model=folder)
    found = fill(f"{TEXT} {fill.tokenizer.mask_token} people", top_k=5)
    return {"scores": [one["score"] for one in found], "tokens": [one["token"] for one in found]}

def write(folder):
    tell = pipeline("text-generation", model=folder)
    ids = tell.tokenizer(TEXT, return_tensors="pt", add_special_tokens=False).input_ids
    with torch.no_grad():
        logits = tell.model(ids).logits[0, -1]
    prompt = {"prefix": ""} if tell.model.config.model_type == "xlnet" else {}
    told = tell(TEXT, max_new_tokens=4, do_sample=False, **prompt)[0]["generated_text"]
    return {"scores": logits.tolist(), "tokens": [], "text": told}

def translate(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    inputs = tokenizer(TEXT + " <extra_id_0> people", return_tensors="pt")
    start = torch.tensor([[model.config.decoder_start_token_id]])
    with torch.no_grad():
        logits = model(**inputs, decoder_input_ids=start).logits[0, -1]
    written = model.generate(**inputs, max_new_tokens=5, do_sample=False)
    return {"scores": logits.tolist(), "tokens": written[0].tolist()}

HOW = {"bert": fill_mask, "roberta": fill_mask, "t5": translate}
TEXT = sys.argv[1]
found = {kind: HOW.get(kind, write)(kind) for kind in sys.argv[2:]}
assert not [name for name in sys.modules if name.startswith("raylm")]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    storage = str(tmp_path_factory.mktemp("runs"))
    return {
        kind: train_alone(family_recipe(kind, train={"max_steps": 30}), storage, kind) for kind in FAMILIES
    }


@pytest.fixture(scope="module")
def theirs(runs, tmp_path_factory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("exported")
    for kind, run in runs.items():
        assert export(run, None, folder / kind) == 30
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, TEXT, *runs], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def close(one, other) -> None:
    torch.testing.assert_close(torch.as_tensor(one), torch.as_tensor(other), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_fill_mask_gives_the_same_candidates(kind, runs, theirs):
    model, tokenizer, *_ = restore(runs[kind])
    ids = tokenizer(f"{TEXT} {tokenizer.mask_token} people", return_tensors="pt")
    place = int((ids["input_ids"][0] == tokenizer.mask_token_id).nonzero())
    with torch.no_grad():
        output = model(**ids)
    logits = output.logits if "logits" in output else output.prediction_logits
    shares, tokens = logits[0, place].softmax(-1).topk(5)
    close(theirs[kind]["scores"], shares)
    assert theirs[kind]["tokens"] == tokens.tolist()


@pytest.mark.parametrize("kind", ["gpt2", "llama", "xlnet"])
def test_text_generation_reads_the_same_numbers_and_writes_on(kind, runs, theirs):
    model, tokenizer, *_ = restore(runs[kind])
    ids = tokenizer(TEXT, return_tensors="pt", add_special_tokens=False).input_ids
    with torch.no_grad():
        close(theirs[kind]["scores"], model(ids).logits[0, -1])
    assert theirs[kind]["text"].startswith(TEXT)
    assert len(theirs[kind]["text"]) > len(TEXT)


def test_t5_reads_the_same_numbers_and_writes_the_same_span(runs, theirs):
    model, tokenizer, *_ = restore(runs["t5"])
    inputs = tokenizer(TEXT + " <extra_id_0> people", return_tensors="pt")
    start = torch.tensor([[model.config.decoder_start_token_id]])
    with torch.no_grad():
        close(theirs["t5"]["scores"], model(**inputs, decoder_input_ids=start).logits[0, -1])
    written = model.generate(**inputs, max_new_tokens=5, do_sample=False)
    assert theirs["t5"]["tokens"] == written[0].tolist()


@pytest.mark.parametrize("kind", FAMILIES)
def test_the_card_says_what_the_model_is_how_to_load_it_and_what_it_is_not(kind, runs, tmp_path):
    export(runs[kind], None, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    titles = [line for line in card.splitlines() if line.startswith("## ")]
    assert titles == ["## Model", "## Use", "## Metrics", "## Training data", "## Limits", "## Recipe"]
    recipe = family_recipe(kind)
    assert f"| Objective | {recipe.objective.kind.replace('_', chr(92) + '_')} |" in card
    assert "| training | eval/loss |" in card
    how = {"bert": "fill-mask", "roberta": "fill-mask", "t5": "AutoModelForSeq2SeqLM"}
    assert how.get(kind, "text-generation") in card
    assert "pretrained only" in card
    assert str(tmp_path.parent) not in card, "no path of this machine leaves the run"
