"""Exported heads and adapters give in plain transformers what they give in raylm."""

import json
import subprocess
import sys
import warnings

import pytest
import torch

from raylm.config.errors import BadInput
from raylm.engine.export import export
from raylm.engine.markdown import as_text
from raylm.engine.restore import restore
from tests.families import family_recipe
from tests.tiny import train_alone
from tests.tiny_tasks import TASKS, task_recipe

TEXT, QUESTION = "What say you, citizens of Rome?", "which word is the second"
CASES = {
    "sequence_classification": "AutoModelForSequenceClassification",
    "token_classification": "AutoModelForTokenClassification",
    "question_answering": "AutoModelForQuestionAnswering",
    "translation": "AutoModelForSeq2SeqLM",
    "chat": "AutoModelForCausalLM",
}
# A process that knows nothing of raylm.
SCRIPT = """import json, sys, torch, transformers

def outputs(folder, loader, adapter):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    load = getattr(transformers, loader).from_pretrained
    if adapter:
        from peft import PeftModel
        model = PeftModel.from_pretrained(load(f"{folder}/base"), folder).eval()
    else:
        model = load(folder)
    texts = ["which word is the second", "What say you, citizens of Rome?"]
    inputs = tokenizer(*(texts if "Question" in loader else texts[1:]), return_tensors="pt")
    with torch.no_grad():
        if "Seq2Seq" in loader:
            inputs["decoder_input_ids"] = torch.tensor([[model.config.decoder_start_token_id, 7, 9]])
        out = model(**inputs)
    named = {name: out[name].tolist() for name in ("logits", "start_logits", "end_logits") if name in out}
    named |= {"ids": inputs["input_ids"].tolist()}
    if loader.endswith(("SequenceClassification", "TokenClassification")) and not adapter:
        kind = "text-classification" if "Sequence" in loader else "token-classification"
        found = transformers.pipeline(kind, model=folder)([texts[1], texts[0]])
        named |= {"pipeline": json.loads(json.dumps(found, default=float))}
    return named

for line in sys.stdin:
    found = outputs(*json.loads(line))
    assert "raylm" not in sys.modules
    print(json.dumps(found), flush=True)
"""


@pytest.fixture(scope="module")
def in_transformers(tmp_path_factory):
    """Return a function that loads a folder in a process without raylm, and what the model gives there."""
    errors = tmp_path_factory.mktemp("transformers") / "errors.log"
    pipe = subprocess.PIPE
    with errors.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT], stdin=pipe, stdout=pipe, stderr=log, text=True, cwd="/"
        )

    def ask(folder, task, *, adapter=False):
        assert process.stdin
        assert process.stdout
        print(json.dumps([str(folder), CASES[task], adapter]), file=process.stdin, flush=True)
        answer = process.stdout.readline()
        assert answer, errors.read_text()[-2000:]
        return json.loads(answer)

    yield ask
    process.communicate()


@pytest.fixture(scope="module")
def parents(tmp_path_factory):
    storage = str(tmp_path_factory.mktemp("parents"))
    kinds = {TASKS[task][0] for task in CASES}
    return {
        kind: train_alone(
            family_recipe(kind, train={"max_steps": 10, "sequence_length": 48}), storage, f"parent-{kind}"
        )
        for kind in kinds
    }


def expected(run, task, ids):
    """Return what the checkpoint gives here, its adapter merged."""
    model = restore(run).model
    inputs = {"input_ids": torch.tensor(ids)}
    if task == "translation":
        inputs["decoder_input_ids"] = torch.tensor([[model.config.decoder_start_token_id, 7, 9]])
    if task == "question_answering":
        ends = (inputs["input_ids"] == restore(run).tokenizer.sep_token_id).cumsum(1)
        inputs["token_type_ids"] = (
            (ends - (inputs["input_ids"] == restore(run).tokenizer.sep_token_id).long()) > 0
        ).long()
    with torch.no_grad():
        return model(**inputs)


@pytest.mark.parametrize("adapter", [{}, {"adapter": {"kind": "lora", "rank": 2}}], ids=["full", "lora"])
@pytest.mark.parametrize("task", CASES)
def test_an_exported_head_gives_the_same_in_plain_transformers(
    task, adapter, storage, tmp_path, parents, in_transformers
):
    init = {"init": {"from": f"{parents[TASKS[task][0]].uri}@10"}} if adapter else {}
    run = train_alone(task_recipe(task, tmp_path, **init, **adapter), storage, "run")
    export(run, None, tmp_path / "model")
    found = in_transformers(tmp_path / "model", task)
    wanted = expected(run, task, found["ids"])
    for name in set(found) - {"ids", "pipeline"}:
        assert torch.allclose(torch.tensor(found[name]), wanted[name], atol=1e-5), name
    if "pipeline" in found:
        _check_pipeline(found, wanted.logits, restore(run).model.config.id2label)
    card = (tmp_path / "model" / "README.md").read_text()
    assert f"| Task | {as_text(task)} |" in card
    assert "It is meant for" in card


def _check_pipeline(found, logits, names):
    first = found["pipeline"][0]
    probabilities = logits[0].softmax(-1)
    if isinstance(first, dict):
        assert first["label"] == names[int(logits[0].argmax())]
        assert first["score"] == pytest.approx(probabilities.max().item(), abs=1e-5)
        return
    for entity in first:
        assert entity["entity"] == names[int(logits[0][entity["index"]].argmax())]
        assert entity["score"] == pytest.approx(probabilities[entity["index"]].max().item(), abs=1e-5)


@pytest.mark.parametrize("task", ["sequence_classification", "translation"])
def test_an_adapter_exported_apart_is_the_merged_model(task, storage, tmp_path, parents, in_transformers):
    init = {"init": {"from": f"{parents[TASKS[task][0]].uri}@10"}}
    recipe = task_recipe(task, tmp_path, adapter={"kind": "lora", "rank": 2}, **init)
    run = train_alone(recipe, storage, "run")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # peft warns where it would ask the hub for the base
        export(run, None, tmp_path / "adapter", keep_adapter=True)
    assert (tmp_path / "adapter" / "adapter_model.safetensors").exists()
    assert not (tmp_path / "adapter" / "model.safetensors").exists()
    files = [path for path in (tmp_path / "adapter").rglob("*") if path.is_file()]
    assert len({path.stat().st_mode for path in files}) == 1
    card = (tmp_path / "adapter" / "README.md").read_text()
    assert f'PeftModel.from_pretrained({CASES[task]}.from_pretrained("base"), ".")' in card
    found = in_transformers(tmp_path / "adapter", task, adapter=True)
    wanted = expected(run, task, found["ids"])
    assert torch.allclose(torch.tensor(found["logits"]), wanted.logits, atol=1e-5)


def test_a_run_without_an_adapter_has_none_to_export_apart(storage, tmp_path):
    run = train_alone(task_recipe("sequence_classification", tmp_path), storage, "run")
    with pytest.raises(BadInput, match="trains no adapter"):
        export(run, None, tmp_path / "adapter", keep_adapter=True)


def test_an_exported_folder_is_a_start_for_another_run(storage, tmp_path):
    first = train_alone(task_recipe("sequence_classification", tmp_path), storage, "first")
    export(first, None, tmp_path / "model")
    init = {"init": {"from": str(tmp_path / "model")}}
    again = train_alone(task_recipe("sequence_classification", tmp_path, **init), storage, "again")
    (event,) = [each for each in again.events() if each["event"] == "initialised"]
    assert event["fresh"] == []
    other = train_alone(task_recipe("token_classification", tmp_path, **init), storage, "other")
    (event,) = [each for each in other.events() if each["event"] == "initialised"]
    assert event["fresh"] == ["classifier"]


def test_a_chats_template_travels_with_the_tokenizer(storage, tmp_path):
    run = train_alone(task_recipe("chat", tmp_path), storage, "run")
    export(run, None, tmp_path / "model")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    shown = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}], tokenize=False, add_generation_prompt=True
    )
    assert "Hello" in shown
    assert shown.rstrip().endswith("<|assistant|>")
