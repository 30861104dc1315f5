"""A tiny run for each kind of answer, trained for a few steps on rows that are made up."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from raylm.engine.answers import Respondent
from raylm.engine.exam import Exam, own_exam
from raylm.engine.examinee import Examinee
from raylm.recipe import Recipe
from raylm.runs.run import Run
from tests.families import sections
from tests.tiny import tiny_recipe, train_alone

NAMES = ("anna", "otto", "maria", "felix")
VERBS = ("sees", "calls", "asks", "finds", "helps")
THINGS = ("the red house", "a small dog", "an old tree", "the bird", "two green stones")
NUM_ROWS = 60

# What is learned: the kind of answer, with the family, the objective and the fields of the task.
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "label": ("bert", "sequence_classification", {"kind": "sequence_classification"}),
    "label by gpt2": ("gpt2", "sequence_classification", {"kind": "sequence_classification"}),
    "labels": (
        "roberta",
        "multi_label_classification",
        {"kind": "sequence_classification", "label_field": "labels", "is_multi_label": True},
    ),
    "value": (
        "bert",
        "regression",
        {"kind": "sequence_classification", "label_field": "value", "is_regression": True},
    ),
    "tags": ("bert", "token_classification", {"kind": "token_classification"}),
    "tags by xlnet": ("xlnet", "token_classification", {"kind": "token_classification"}),
    "span": ("bert", "question_answering", {"kind": "question_answering", "window": 24, "stride": 4}),
    "span by xlnet": ("xlnet", "question_answering", {"kind": "question_answering", "window": 32}),
    "text by gpt2": ("gpt2", "supervised", {"kind": "translation", "max_answer_tokens": 6}),
    "text by llama": ("llama", "supervised", {"kind": "translation", "max_answer_tokens": 6}),
    "text by t5": ("t5", "seq2seq", {"kind": "translation", "max_answer_tokens": 6}),
    "likelihood": ("gpt2", "supervised", {"kind": "text_generation"}),
    "likelihood of chats": ("llama", "supervised", {"kind": "chat"}),
}


def row(rng: random.Random) -> dict[str, Any]:
    """Return a row that every task reads a part of."""
    name, verb = rng.choice(NAMES), rng.choice(VERBS)
    things = [rng.choice(THINGS) for _ in range(rng.randint(1, 6))]
    text = f"{name} {verb} {' and '.join(things)}"
    words = text.split()
    start = text.find(things[-1])
    answers = [{"text": things[-1], "answer_start": start}] if rng.random() < 0.8 else []
    return {
        "text": text,
        "label": verb[0],
        "labels": sorted({thing.split()[0] for thing in things}),
        "value": float(len(things)),
        "tokens": words,
        "tags": ["B-PER", *["O"] * (len(words) - 1)],
        "context": text,
        "question": f"what {verb} {name}",
        "answers": answers,
        "source": text,
        "target": f"{name} {verb}",
        "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": f"{name} {verb}"}],
    }


def write_rows(path: Path, count: int = NUM_ROWS, seed: int = 0) -> Path:
    """Write rows, an object a line."""
    rng = random.Random(seed)
    path.write_text("".join(json.dumps(row(rng)) + "\n" for _ in range(count)))
    return path


def recipe_of(kind: str, path: Path, **changes: dict[str, Any]) -> Recipe:
    """Return the recipe of a kind of answer over the rows of a file."""
    family, objective, task = KINDS[kind]
    data = {"sources": [{"kind": "jsonl", "path": str(path)}], "validation_share": 0.2, "test_share": 0.2}
    given = {"max_steps": 5, "sequence_length": 32, **changes.pop("train", {})}
    family_sections = sections(family, kind=objective)
    family_sections["model"] |= {"num_layers": 1, "num_heads": 2, "hidden_size": 32, "dropout": 0.0}
    return tiny_recipe(**family_sections, task=task, data=data, train=given, **changes)


def runs_in(folder: Path) -> Callable[[str], Run]:
    """Return a function that gives the trained run of a kind of answer; it is trained once."""
    path = write_rows(folder / "rows.jsonl")

    @functools.cache
    def run_of(kind: str) -> Run:
        return train_alone(recipe_of(kind, path), str(folder / "runs"), kind.replace(" ", "-"))

    return run_of


def asked(run: Run, split: str = "validation", **options: Any) -> tuple[Respondent, Exam]:
    """Return a run's model as one that answers, and the records of one of its splits."""
    examinee = Examinee.of(run, None)
    assert examinee.recipe.task is not None
    exam = own_exam(run, examinee.recipe, examinee.recipe.task, split, None)
    return examinee.respondent(exam.task, exam.objective, **options), exam
