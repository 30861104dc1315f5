"""Every recipe in `examples` trains as it is shipped, if only for two steps."""

from pathlib import Path

import pytest

from raylm.api.launch import train
from raylm.recipe import Recipe

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.yaml"))
SHORT = (
    "train.max_steps=2",
    "schedule.warmup_steps=1",
    "checkpoint.every_steps=2",
    "evaluate.every_steps=null",
    "checkpoint.keep_best=false",
    "scaling.num_workers=0",
)


@pytest.fixture(scope="module")
def storage(tmp_path_factory) -> str:
    """One for all: what several recipes read is read once."""
    return str(tmp_path_factory.mktemp("examples"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_trains(path, storage):
    shares = [] if Recipe.load(path).task else ["data.validation_share=0.002"]  # a task's rows are few
    run = train(Recipe.load(path, [*SHORT, *shares]), storage=storage)
    assert run.status().status == "finished"
    ledger = run.checkpoints.show(2).facts["ledger"]
    assert len(ledger["sources"]) == len(Recipe.load(path).data.sources)
    assert all(source["licence"] != "unknown" for source in ledger["sources"])
