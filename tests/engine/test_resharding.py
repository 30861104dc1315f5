"""A checkpoint keeps every tensor, whatever the number of processes that wrote it and that load it."""

import json
from pathlib import Path

import pytest
import torch

from raylm.engine import checkpoint
from raylm.engine.shards import ShardReader
from raylm.engine.world import World
from raylm.runs.run import Run
from tests.tiny import run_ranks, tiny_recipe, train_together, work_of

COPY = """import json, sys
from pathlib import Path
import torch
from raylm.data.shards import Dataset
from raylm.distributed.worker import Work
from raylm.engine import start
from raylm.engine.world import World
from raylm.recipe import Recipe
from raylm.runs.run import Run

job = Work(**json.loads(sys.argv[1]))
run = Run.from_uri(job.run_uri)
begin = start.Start(
    Recipe.from_yaml(job.recipe_yaml), run, Dataset.open(Path(job.dataset_uri)), job.attempt, job.decay_steps,
    job.last_step,
)
world = World.join(use_gpu=False)
session = start._build(begin, world)
start._resume(session, begin)
session.run = Run.open(run.storage, f"copy-{world.size}")
session.save({})
session.close()
world.leave()
print(json.dumps({"status": "finished"}))
"""


def tensors_of(run: Run) -> dict[str, torch.Tensor]:
    """Return every tensor of the run's newest checkpoint, whole."""
    found, _ = run.checkpoints.latest_good()
    assert found is not None
    listed = ShardReader(found.folder).read_metadata().state_dict_metadata
    tensors = {name: torch.empty(one.size, dtype=one.properties.dtype) for name, one in listed.items()}
    checkpoint.load(found.folder, tensors, World(0, 1, torch.device("cpu")))
    return tensors


@pytest.fixture(scope="module")
def sharded(tmp_path_factory) -> Run:
    """A run that two processes trained with sharded weights."""
    storage = str(tmp_path_factory.mktemp("sharded"))
    recipe = tiny_recipe(scaling={"strategy": "fsdp"}, train={"max_steps": 10})
    return train_together(recipe, storage, "sharded", world_size=2)


@pytest.mark.parametrize("world_size", [1, 2])
def test_a_sharded_checkpoint_loads_into_any_number_of_processes_without_loss(sharded, world_size):
    Run.create(sharded.storage, f"copy-{world_size}")
    run_ranks(COPY, work_of(sharded), world_size)
    original, copied = tensors_of(sharded), tensors_of(Run.open(sharded.storage, f"copy-{world_size}"))
    assert original.keys() == copied.keys()
    assert any(name.startswith("optimizer.") for name in original)
    for name, tensor in original.items():
        assert torch.equal(tensor, copied[name]), name


def test_both_processes_wrote_shards(sharded):
    found, _ = sharded.checkpoints.latest_good()
    assert found is not None
    names = set(found.folder.names())
    assert {"rank-00000.distcp", "rank-00001.distcp"} <= names
    assert json.loads((Path(found.uri) / "manifest.json").read_text())["facts"]["world_size"] == 2
