"""What a model card says beside the data: the model, its use, metrics, limits and recipe, from the run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from raylm.data.report.words import grouped
from raylm.engine.markdown import as_row, as_text
from raylm.runs.checkpoints import Checkpoint
from raylm.runs.run import Run

_FOLDER = "evaluations"
_TOLD = ("model", "tokenizer", "objective", "optimizer", "schedule", "train")  # of the recipe
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


def model_facts(run: Run, recipe: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table of what the model is."""
    config = json.loads(run.folder.read("model/config.json"))
    model, train = recipe["model"], recipe["train"]
    yield as_row(("", ""))
    yield as_row(("---", "---"))
    yield as_row(("Architecture", f"{as_text(model['kind'])} (`{_class_name(config)}`)"))
    yield as_row(("Shape", as_text(", ".join(_shape(model)))))
    yield as_row(("Objective", as_text(recipe["objective"]["kind"])))
    yield as_row(("Sequence length", f"{grouped(train['sequence_length'])} tokens"))
    tokenizer = recipe["tokenizer"]["kind"]
    yield as_row(("Tokenizer", f"{as_text(tokenizer)}, {grouped(config['vocab_size'])} tokens"))
    yield as_row(("Trained in", as_text(f"{train['precision']}, weights and optimizer in float32")))


def _class_name(config: Mapping[str, Any]) -> str:
    return (config.get("architectures") or ["unknown"])[0]


def _shape(model: Mapping[str, Any]) -> Iterator[str]:
    for name in ("num_layers", "num_heads", "hidden_size"):
        if name in model:
            yield f"{name} {model[name]}"
    if "path" in model:
        yield f"that of {model['path']}"


def use(run: Run) -> Iterator[str]:
    """Yield how to load the folder."""
    name = _class_name(json.loads(run.folder.read("model/config.json")))
    code = next(code for end, code in sorted(_USES.items(), reverse=True) if name.endswith(end))
    yield from ("```python", *code.splitlines(), "```")


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
    yield "- It was pretrained only: it follows no instructions, and nothing was done to make it safe."
    yield "- What its texts hold of bias, error and private life it may repeat; no bias was measured here."
    yield f"- It never saw more than {grouped(length)} tokens at once."
