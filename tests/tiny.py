"""A tiny real run: forty thousand characters of Shakespeare, a model of some ten thousand weights."""

import json
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

from raylm.data.prepare import prepare
from raylm.distributed.worker import Work
from raylm.recipe import Recipe
from raylm.runs.run import Run
from tests.forks import start_fork

CORPUS = Path(__file__).with_name("tiny_corpus.txt")  # the first 40 kB of examples/data/tinyshakespeare
WORKER = """import json, sys
from raylm.distributed.worker import work
print(json.dumps(work(json.loads(sys.argv[1]))))
"""

ONCE: dict[str, dict[str, Any]] = {"checkpoint": {"every_steps": 1000}}
"""Sections of a recipe that saves at its end alone."""

QUESTION = "to be or not to be, that is the question\n" * 60
SMALLEST: dict[str, Any] = {
    "name": "tiny",
    "model": {"kind": "gpt2", "num_layers": 1, "num_heads": 2, "hidden_size": 16},
    "tokenizer": {"kind": "character"},
    "objective": {"kind": "causal"},
    "optimizer": {"kind": "adamw", "learning_rate": 1e-3},
    "schedule": {"kind": "constant"},
    "train": {"max_steps": 5, "sequence_length": 16, "global_batch_size": 4},
    "scaling": {"num_workers": 0, "threads_per_worker": 1},
}


def smallest_values(folder: Path) -> dict[str, Any]:
    """Return a recipe's values as a form sends them; its text is written into the folder."""
    text = folder / "text.txt"
    text.write_text(QUESTION)
    return {**SMALLEST, "data": {"sources": [{"kind": "text", "path": str(text)}]}}


def tiny_recipe(**sections: dict[str, Any]) -> Recipe:
    """Return a recipe that trains 20 steps in a second; each argument changes fields of one section."""
    values: dict[str, Any] = {
        "name": "tiny",
        "model": {"kind": "gpt2", "num_layers": 2, "num_heads": 2, "hidden_size": 32, "dropout": 0.1},
        "tokenizer": {"kind": "character"},
        "data": {"sources": [{"kind": "text", "path": str(CORPUS)}]},
        "objective": {"kind": "causal"},
        "optimizer": {"kind": "adamw", "learning_rate": 3e-3},
        "schedule": {"kind": "cosine", "warmup_steps": 5},
        "train": {"max_steps": 20, "sequence_length": 32, "global_batch_size": 8, "micro_batch_size": 4},
        "scaling": {"num_workers": 0, "threads_per_worker": 1},
        "checkpoint": {"every_steps": 5},
    }
    for name, fields in sections.items():
        values[name] = {**values.get(name, {}), **fields}
    return Recipe.from_values(values)


def train_alone(recipe: Recipe, storage: str, run_id: str) -> Run:
    """Train in this process, without Ray."""
    from raylm.api.launch import train

    return train(recipe, run_id, storage)


def train_together(
    recipe: Recipe, storage: str, run_id: str, world_size: int, last_step: int | None = None
) -> Run:
    """Train in processes of torch's own, as torchrun would start them; continues a run that exists."""
    run = _open_or_create(recipe, storage, run_id)
    outcome = run_ranks(WORKER, work_of(run, last_step), world_size)
    assert outcome["status"] == "finished", outcome
    return run


def work_of(run: Run, last_step: int | None = None) -> Work:
    """Return the run's next start, its data prepared."""
    recipe = Recipe.from_yaml(run.recipe_yaml())
    prepared = prepare(recipe.data, recipe.tokenizer, run.storage, lesson=recipe.lesson)
    attempt = len(run.launches())
    horizon = recipe.train.num_steps(0)
    return Work(run.uri, recipe.to_yaml(), prepared.uri, attempt, horizon, last_step or horizon)


def run_ranks(script: str, job: Work, world_size: int) -> dict[str, Any]:
    """Run a script in a process group; it gets the job as JSON. Return what rank 0 printed last, as JSON."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        files = [(Path(folder) / f"{rank}.out", Path(folder) / f"{rank}.err") for rank in range(world_size)]
        environments = [_rank_environment(rank, world_size, port) for rank in range(world_size)]
        ranks = [
            start_fork(script, [json.dumps(job._asdict())], environment, output)
            for environment, output in zip(environments, files, strict=True)
        ]
        for rank in ranks:
            rank.join(timeout=120)
        is_right = all(rank.exitcode == 0 for rank in ranks)
        for rank in ranks:
            rank.kill()
        assert is_right, [errors.read_text()[-2000:] for _, errors in files]
        return json.loads(files[0][0].read_text().splitlines()[-1])


def _open_or_create(recipe: Recipe, storage: str, run_id: str) -> Run:
    run = Run.open(storage, run_id) if (Path(storage) / run_id).exists() else Run.create(storage, run_id)
    number = len(run.launches()) + 1
    run.folder.write(f"launches/{number}.json", b"{}")
    run.folder.write(f"launches/{number}.yaml", recipe.to_yaml().encode())
    return run


def _rank_environment(rank: int, world_size: int, port: int) -> dict[str, str]:
    group = {"RANK": str(rank), "WORLD_SIZE": str(world_size), "LOCAL_RANK": str(rank)}
    return {**os.environ, **group, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
