"""A test that takes `storage` runs twice: on a local disk and on an object store."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

from raylm.runs import Checkpoint, Run, StepRecord, make_run_id, open_shard_writer

Save = Callable[..., Checkpoint]


@pytest.fixture(params=["local", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "local":
        yield str(tmp_path / "runs")
        return
    uri = f"memory://{make_run_id('store')}/runs"
    yield uri
    filesystem = fsspec.filesystem("memory")
    if filesystem.exists(uri):
        filesystem.rm(uri, recursive=True)


@pytest.fixture
def run(storage: str) -> Run:
    return Run.create(storage, make_run_id("test"), {"name": "test"})


@pytest.fixture
def save() -> Save:
    """Return a function that commits a checkpoint of three small shards, as three ranks would."""

    def save(run: Run, step: int, token: str = "a1", *, num_bytes: int = 3000, **facts: object) -> Checkpoint:
        staged = run.checkpoints.staging(step, token)
        entries = []
        for rank in range(3):
            with open_shard_writer(staged, f"shard-{rank}.bin") as shard:
                shard.write(random.Random(step * 10 + rank).randbytes(num_bytes))
            entries.append(shard.entry)
        return run.checkpoints.commit(step, entries, {"tokens_seen": step * 100, **facts}, token)

    return save


@pytest.fixture
def record() -> Callable[..., StepRecord]:
    def record(step: int, attempt: int = 1, loss: float = 0.5, **metrics: float) -> StepRecord:
        return StepRecord(step, attempt, step * 100, time.time(), {"train/loss": loss, **metrics})

    return record
