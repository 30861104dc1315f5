"""What a model card says beside the data: the model, its use, metrics, limits and recipe, from the run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from raylm.data.report.words import grouped
from raylm.engine.markdown import as_code, as_row, as_text
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.run import Run

_FOLDER = "evaluations"
_MANY = 20  # classes that a card lists
_TOLD = (  # of the recipe
    "model",
    "init",
    "tokenizer",
    "task",
    "objective",
    "adapter",
    "optimizer",
    "schedule",
    "train",
)
# How transformers loads the folder, by the end of the class's name.
_USES = {
    "ForConditionalGeneration": """from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForSeq2SeqLM.from_pretrained(".")
inputs = tokenizer("A text with a gap: <extra_id_0>", return_tensors="pt")
print(tokenizer.decode(model.generate(**inputs, max_new_tokens=20)[0]))""",
    "ForMaskedLM": """from transformers import pipeline

fill = pipeline("fill-mask", model=".")
print(fill(f"A text with a {fill.tokenizer.mask_token} in it."))""",
    "": """from transformers import pipeline

print(pipeline("text-generation", model=".")("A text that goes on", max_new_tokens=40))""",
}
_USES["ForPreTraining"] = _USES["ForMaskedLM"]
_USES["ForSequenceClassification"] = """from transformers import pipeline

print(pipeline("text-classification", model=".")("A text to judge"))"""
_USES["ForTokenClassification"] = """from transformers import pipeline

tag = pipeline("token-classification", model=".", aggregation_strategy="first")
print(tag("A text with the name of Jane Austen in it"))"""
_USES["ForQuestionAnswering"] = _USES["ForQuestionAnsweringSimple"] = """import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForQuestionAnswering.from_pretrained(".")
inputs = tokenizer("Who fell down the rabbit hole?", "Alice fell down.", return_tensors="pt")
with torch.no_grad():
    found = model(**inputs)
first, last = int(found.start_logits.argmax()), int(found.end_logits.argmax())
print(tokenizer.decode(inputs["input_ids"][0][first : last + 1]))"""
_ADAPTER_USE = """from peft import PeftModel
from transformers import {loader}

model = PeftModel.from_pretrained({loader}.from_pretrained("base"), ".")"""
_LOADERS = {
    "ForConditionalGeneration": "AutoModelForSeq2SeqLM",
    "ForQuestionAnsweringSimple": "AutoModelForQuestionAnswering",
    **{f"For{head}": f"AutoModelFor{head}" for head in ("MaskedLM", "PreTraining", "QuestionAnswering")},
    **{f"For{head}": f"AutoModelFor{head}" for head in ("SequenceClassification", "TokenClassification")},
    "": "AutoModelForCausalLM",
}


def model_facts(run: Run, recipe: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table of what the model is."""
    config = json.loads(run.folder.read("model/config.json"))
    model, train = recipe["model"], recipe["train"]
    yield as_row(("", ""))
    yield as_row(("---", "---"))
    yield as_row(("Architecture", f"{as_text(model['kind'])} ({as_code(_class_name(config))})"))
    yield as_row(("Shape", as_text(", ".join(_shape(model)))))
    if recipe.get("task"):
        yield as_row(("Task", as_text(recipe["task"]["kind"])))
        yield from _classes(config)
    yield as_row(("Objective", as_text(recipe["objective"]["kind"])))
    if recipe.get("init"):
        yield as_row(("Begun with", as_text(PurePath(recipe["init"]["from"]).name)))
    if recipe.get("adapter"):
        yield as_row(("Adapter", as_text(f"{recipe['adapter']['kind']}, rank {recipe['adapter']['rank']}")))
    yield as_row(("Sequence length", f"{grouped(train['sequence_length'])} tokens"))
    tokenizer = recipe["tokenizer"]["kind"]
    yield as_row(("Tokenizer", f"{as_text(tokenizer)}, {grouped(config['vocab_size'])} tokens"))
    yield as_row(("Trained in", as_text(f"{train['precision']}, weights and optimizer in float32")))


def _classes(config: Mapping[str, Any]) -> Iterator[str]:
    names = [str(name) for name in (config.get("id2label") or {}).values()]
    if names and not names[0].startswith("LABEL_"):
        listed = ", ".join(names[:_MANY]) + (f" and {len(names) - _MANY} more" if len(names) > _MANY else "")
        yield as_row(("Classes", as_text(listed)))


def _class_name(config: Mapping[str, Any]) -> str:
    return (config.get("architectures") or ["unknown"])[0]


def _shape(model: Mapping[str, Any]) -> Iterator[str]:
    for name in ("num_layers", "num_heads", "hidden_size"):
        if name in model:
            yield f"{name} {model[name]}"
    if "path" in model:
        yield f"that of {model['path']}"


def use(run: Run, *, is_apart: bool = False) -> Iterator[str]:
    """Yield how to load the folder; `is_apart`: one of an adapter beside the model that it goes on."""
    name = _class_name(json.loads(run.folder.read("model/config.json")))
    code = _by_end(_USES, name) if not is_apart else _ADAPTER_USE.format(loader=_by_end(_LOADERS, name))
    yield from ("```python", *code.splitlines(), "```")


def _by_end(table: Mapping[str, str], name: str) -> str:
    return next(found for end, found in sorted(table.items(), reverse=True) if name.endswith(end))


def metrics(run: Run, checkpoint: Checkpoint) -> Iterator[str]:
    """Yield a table of what was measured at the checkpoint, in training and by evaluations."""
    yield as_row(("Measured by", "Metric", "Value"))
    yield as_row(("---", "---", "---"))
    for by, name, value in _measured(run, checkpoint):
        yield as_row((as_text(by), as_text(name), f"{value:.4f}"))


def _measured(run: Run, checkpoint: Checkpoint) -> Iterator[tuple[str, str, float]]:
    for name, value in (checkpoint.facts.get("metrics") or {}).items():
        if name.startswith(("train/", "eval/")) and isinstance(value, int | float):
            yield "training", name, value
    folder = run.folder / _FOLDER / f"step-{checkpoint.step:08d}"
    for file in sorted(folder.names()):
        record = json.loads(folder.read(file))
        for name, value in record.get("metrics", {}).items():
            if isinstance(value, int | float):
                yield record.get("name", file), name, value


def recipe_facts(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides the training, of folders only the last name: where they lie concerns nobody."""
    return {name: _without_folders(recipe[name]) for name in _TOLD if name in recipe}


def _without_folders(section: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: PurePath(value).name if name == "path" else value
        for name, value in section.items()
        if value is not None
    }


def limits(recipe: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterable[str]:
    """Yield what the model must not be taken for, as far as the run tells."""
    sources = (facts.get("ledger") or {}).get("sources") or []
    names = ", ".join(as_text(source["name"]) for source in sources) or "unknown texts"
    length = recipe["train"]["sequence_length"]
    yield f"- It has read {grouped(facts['tokens_seen'])} tokens, of {names}, and knows nothing else."
    if recipe.get("task"):
        kind = as_text(recipe["task"]["kind"].replace("_", " "))
        yield f"- It is meant for {kind} on texts like those it was trained on; on others it was not tried."
        yield "- Its answers can be wrong: let nothing rest on them that harms people, health least of all."
    else:
        yield "- It was pretrained only: it follows no instructions, and nothing was done to make it safe."
    yield "- What its texts hold of bias, error and private life it may repeat; no bias was measured here."
    yield f"- It never saw more than {grouped(length)} tokens at once."
