"""How long the first batch takes at sample ten billion of a mixture, and how fast documents are packed.

Wall-clock milliseconds on the machine at hand. The dataset is opened and its rows are known, as they are in a
run, and torch is imported; all that depends on the sample is made anew in each round.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np

from bench import harness
from bench.harness import SCRATCH
from raylm.config.vocabulary import Vocabulary
from raylm.data.index import NAME, Index, SourceIndex, SplitIndex
from raylm.data.mixture import Share, order_of
from raylm.data.packing import Packing
from raylm.data.rows import RowReader
from raylm.data.shards import Dataset
from raylm.data.writer import SplitWriter
from raylm.engine.feed import Feed
from raylm.objectives import Frame
from raylm.objectives.causal import Causal
from raylm.runs.folder import Folder

SAMPLE = 10**10
LENGTH, BATCH, VOCAB_SIZE = 1024, 32, 50_000
DOCUMENTS = {"web": 700_000, "books": 250_000, "code": 50_000}
SHARES = (Share(5), Share(3, 4), Share(2))
POLICIES = ("stream", "best_fit", "document")
MEAN_TOKENS = 60


def main() -> None:
    """Write a dataset of a million documents, then measure each packing policy."""
    parser = argparse.ArgumentParser(description="milliseconds to the first batch at sample ten billion")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    import_module("torch")  # a run has it long before its first batch
    figures = {}
    print(f"{'policy':12}{'packing':>12}{'first batch':>14}{'next batch':>14}   ms, median and worst")
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        write(Path(folder))
        for policy in POLICIES:
            figures |= measure(Path(folder), policy, arguments.rounds)
    harness.write_json(arguments.json, "seek", figures)


def measure(folder: Path, policy: str, rounds: int) -> dict[str, float]:
    """Print one policy's times; return them as figures."""
    dataset = Dataset.open(folder, Packing(policy))  # pyright: ignore[reportArgumentType]
    split, causal = dataset.splits["train"], Causal()
    packing = milliseconds(lambda: causal.row_plan(split, LENGTH))
    plan = causal.row_plan(split, LENGTH)
    firsts, nexts = [], []
    for number in range(rounds):
        seed = number

        def first_batch(seed: int = seed) -> Feed:
            reader = RowReader(split, plan, order_of(plan.source_rows, SHARES, seed))
            frame = Frame(LENGTH, seed, Vocabulary(VOCAB_SIZE))
            feed = Feed(reader, causal, BATCH, BATCH, frame, rank=0, world_size=1)
            feed.batches(SAMPLE)
            return feed

        firsts.append(milliseconds(first_batch))
        feed = first_batch()
        nexts.append(milliseconds(lambda feed=feed: feed.batches(SAMPLE + BATCH)))
    first, worst = statistics.median(firsts), max(firsts)
    following = statistics.median(nexts)
    print(f"{policy:12}{packing:12.1f}{first:8.1f} {worst:5.1f}{following:14.2f}")
    return {
        f"{policy}/packing_ms": packing,
        f"{policy}/first_batch_ms": first,
        f"{policy}/first_batch_worst_ms": worst,
        f"{policy}/next_batch_ms": following,
    }


def milliseconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    start = time.perf_counter()
    action()
    return 1e3 * (time.perf_counter() - start)


def write(path: Path) -> None:
    """Write a dataset of three sources with documents of random tokens, lengths log-normal."""
    folder = Folder.open(path)
    rng = np.random.default_rng(0)
    lengths = [
        np.maximum(2, rng.lognormal(np.log(MEAN_TOKENS), 1.0, count)).astype(np.int64)
        for count in DOCUMENTS.values()
    ]
    sources = tuple(
        SourceIndex(
            name=name,
            licence="CC0-1.0",
            num_documents={"train": len(mine)},
            num_tokens={"train": int(mine.sum())},
        )
        for name, mine in zip(DOCUMENTS, lengths, strict=True)
    )
    index = Index(
        digest="0" * 64,
        plan="0" * 64,
        dtype="uint16",
        vocab_size=VOCAB_SIZE,
        eos_token_id=0,
        tokenizer={},
        num_documents=sum(DOCUMENTS.values()),
        sources=sources,
        splits={"train": write_split(folder, lengths, rng)},
        files=(),
    )
    folder.write(NAME, index.to_bytes())


def write_split(folder: Folder, lengths: list[np.ndarray], rng: np.random.Generator) -> SplitIndex:
    """Write the columns of the training split."""
    with SplitWriter(folder, "train", np.dtype("<u2")) as writer:
        for number, mine in enumerate(lengths):
            for part in parts(mine):
                tokens = rng.integers(0, VOCAB_SIZE, int(part.sum()), dtype=np.uint16)
                writer.add(tokens, part, number, num_bytes=0)
        return writer.close()


def parts(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Yield some documents at a time, so that memory stays small."""
    step = 10_000
    for first in range(0, len(lengths), step):
        yield lengths[first : first + step]


if __name__ == "__main__":
    main()
