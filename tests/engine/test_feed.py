"""What the workers of a step read together does not depend on how many they are."""

import pytest
import torch

from raylm.config.vocabulary import Vocabulary
from raylm.data.mixture import Share, order_of
from raylm.data.packing import Packing
from raylm.data.rows import RowReader
from raylm.engine.feed import Feed
from raylm.objectives import Frame
from raylm.objectives.causal import Causal
from tests.data.small_dataset import write_dataset

LENGTH, BATCH = 16, 8
LENGTHS = {"a": [5, 40, 17, 3, 16, 2] * 20, "b": [9] * 60 + [33, 2], "c": [900]}
SHARES = [Share(5), Share(3, 4), Share(2)]


def feed_of(dataset, rank: int, world_size: int) -> Feed:
    split = dataset.splits["train"]
    plan = Causal().row_plan(split, LENGTH)
    reader = RowReader(split, plan, order_of(plan.source_rows, SHARES, seed=1))
    share = BATCH // world_size
    frame = Frame(LENGTH, 1, Vocabulary(dataset.vocab_size))
    return Feed(reader, Causal(), BATCH, share, frame, rank=rank, world_size=world_size)


@pytest.mark.parametrize("policy", ["stream", "best_fit", "document"])
@pytest.mark.parametrize("cursor", [0, 8 * 40, 10**10])
def test_one_two_and_four_workers_read_the_same_samples_at_each_step(tmp_path, policy, cursor):
    dataset = write_dataset(tmp_path, LENGTHS, {}, Packing(policy))
    (alone,) = feed_of(dataset, 0, 1).batches(cursor)
    for world_size in (2, 4):
        parts = [
            batch
            for rank in range(world_size)
            for batch in feed_of(dataset, rank, world_size).batches(cursor)
        ]
        assert len(parts) == world_size
        for name, whole in alone.items():
            assert torch.equal(torch.cat([part[name] for part in parts]), whole)
