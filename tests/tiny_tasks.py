"""Tiny recipes of every task: rows made from the tiny corpus, a model of some ten thousand weights."""

import json
from pathlib import Path
from typing import Any

from raylm.recipe import Recipe
from tests.families import TOKENIZERS
from tests.tiny import CORPUS, tiny_recipe

NUM_ROWS = 120
LINES = [line for line in CORPUS.read_text().splitlines() if len(line.split()) > 3][:NUM_ROWS]
WITH_YOU = "you"


def _classified(line: str) -> dict[str, Any]:
    return {"text": line, "label": "you" if WITH_YOU in line.lower() else "other"}


def _tagged(line: str) -> dict[str, Any]:
    words = line.split()
    return {"tokens": words, "tags": ["B-name" if word[0].isupper() else "O" for word in words]}


def _asked(line: str) -> dict[str, Any]:
    word = line.split()[1]
    answers = {"text": [word], "answer_start": [line.index(word)]}
    return {"context": line, "question": "which word is the second", "answers": answers}


def _written(line: str) -> dict[str, Any]:
    return {"source": line, "target": line.split(maxsplit=1)[0]}


def _told(line: str) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": line},
            {"role": "assistant", "content": line.split(maxsplit=1)[0]},
        ]
    }


# Of each task: the family whose model learns it here, its rows, and what its section says.
TASKS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "sequence_classification": ("bert", _classified, {}),
    "token_classification": ("roberta", _tagged, {}),
    "question_answering": ("bert", _asked, {"stride": 4}),
    "translation": ("t5", _written, {}),
    "grammar_correction": ("llama", _written, {}),
    "text_generation": ("gpt2", _classified, {}),
    "chat": ("llama", _told, {}),
}


def rows_file(folder: Path, task: str) -> Path:
    """Write the rows of a task as JSON lines."""
    path = folder / f"{task}.jsonl"
    path.write_text("".join(json.dumps(TASKS[task][1](line)) + "\n" for line in LINES))
    return path


def task_recipe(task: str, folder: Path, **changes: dict[str, Any]) -> Recipe:
    """Return the recipe of a task, very small; each argument changes fields of one section."""
    family, _, section = TASKS[task]
    given: dict[str, Any] = {
        "model": {"kind": family, "num_layers": 1, "num_heads": 2, "hidden_size": 32, "dropout": 0.1},
        "tokenizer": TOKENIZERS[family],
        "data": {
            "sources": [{"kind": "jsonl", "path": str(rows_file(folder, task))}],
            "validation_share": 0.1,
            "test_share": 0.2,
        },
        "task": {"kind": task, **section},
        "objective": None,
        "train": {"max_steps": 20, "sequence_length": 48},
    }
    if "init" in changes:  # brings model and tokenizer along
        given |= {"model": None, "tokenizer": None}
    merged = {
        name: changes.get(name, given.get(name))
        if given.get(name) is None
        else {**given[name], **changes.get(name, {})}
        for name in (*given, *changes)
    }
    return tiny_recipe_of(merged)


def tiny_recipe_of(sections: dict[str, Any]) -> Recipe:
    """Return a tiny recipe whose sections of the value None are left out."""
    base = tiny_recipe().model_dump(mode="json")
    keep = ("name", "optimizer", "schedule", "train", "scaling", "checkpoint")
    values = {name: base[name] for name in keep}
    for name, fields in sections.items():
        if fields is not None:
            values[name] = {**values.get(name, {}), **fields}
    return Recipe.from_values(values)
