"""Ten tasks from real data, from random weights and from a pretrained model, beside baselines.

Three models are pretrained first, a BERT, a T5 and a Llama, by examples/pretrain_*.yaml. Each recipe of
examples/finetune_*.yaml is trained as it is and from the model of its family; both are judged on the test
split. Sentiment is trained on 200, 1,000 and all labels with three seeds, and with LoRA. Sets that may not be
shipped are read where they lie (--data).

Started again it goes on where it was: runs that have ended and evaluations that are there are kept.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench import harness
from bench.harness import ROOT, SCRATCH
from bench.runs import evaluated, step_seconds, trained
from raylm.metrics import is_lower_better
from raylm.runs.run import Run

STORAGE = SCRATCH / "tasks"
EXAMPLES = ROOT / "examples"
RAW = Path(os.environ.get("RAYLM_BENCH_DATA", ROOT.parent / "shared" / "data"))
# The task, the family of its recipe, and how the evaluation is asked.
TASKS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "sentiment": ("bert", ()),
    "intent": ("bert", ()),
    "ner": ("bert", ()),
    "qa": ("bert", ()),
    "health": ("bert", ()),
    "summarization": ("t5", ()),
    "translation": ("t5", ()),
    "grammar": ("t5", ()),
    "code": ("llama", ("--task", "code_generation", "runs_code=true")),
    "chat": ("llama", ()),
}
# A window as long as the tasks' rows, at the recipe's tokens a step.
BASES = {"llama": ("train.sequence_length=512", "train.global_batch_size=2", "train.micro_batch_size=2")}
LABELS = (200, 1000, 0)  # 0: all
STEPS = {200: 150, 1000: 300, 0: 1000}
SEEDS = (0, 1, 2)
FROM_BASE = ("model=null", "tokenizer=null")
ALONE = "scaling.threads_per_worker=1"  # two trainings beside each other do more than one on two cores


class Outcome(NamedTuple):
    """What a run was found to be able to do."""

    metric: str
    """The task's own."""
    value: float
    interval: tuple[float, float]
    baselines: dict[str, float]
    seconds: float
    """Of training: the sum of the steps."""


def main() -> None:
    """Train, evaluate, print the tables and write them."""
    parser = argparse.ArgumentParser(description="ten tasks, from random weights and from a pretrained model")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--data", type=Path, default=RAW, help="sets that may not be shipped")
    parser.add_argument("--storage", type=Path, default=STORAGE)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    for part in given.parts:
        for name, outcome in PARTS[part](given):
            figures |= _named(name, outcome)
            print(_line(name, outcome), flush=True)
            # Each time, so that what is cut short leaves what it has.
            harness.write_json(given.json, "tasks", figures)


def shipped(given: argparse.Namespace) -> Iterator[tuple[str, Outcome]]:
    """Yield each recipe's outcome, from random weights and from its family's pretrained model."""
    for task in given.tasks:
        family, arguments = TASKS[task]
        yield f"{task}/random", judged(_run(task, (), given.storage), task, arguments)
        run = _run(f"{task}-pretrained", begun_with(family, given.storage), given.storage, recipe=task)
        yield f"{task}/pretrained", judged(run, task, arguments)


def labels(given: argparse.Namespace) -> Iterator[tuple[str, Outcome]]:
    """Yield sentiment by number of labels, start and seed, and what LoRA makes of all labels."""
    start = begun_with("bert", given.storage)
    for count in LABELS:
        for seed in SEEDS:
            data = _few_shot(given.storage, count, seed)
            fixed = (*data, f"train.seed={seed}", f"train.max_steps={STEPS[count]}", *_short(STEPS[count]))
            for name, more in (("random", ()), ("pretrained", start)):
                run = _run(
                    f"sentiment-{count or 'all'}-{name}-{seed}", (*fixed, *more), given.storage, "sentiment"
                )
                yield f"labels/{count or 'all'}/{name}/{seed}", judged(run, "sentiment", ())
    lora = (*start, "adapter.kind=lora", "adapter.rank=4", "optimizer.learning_rate=2e-3")
    run = _run("sentiment-lora", lora, given.storage, "sentiment")
    yield "sentiment/lora", judged(run, "sentiment", ())


def unshipped(given: argparse.Namespace) -> Iterator[tuple[str, Outcome]]:
    """Yield the outcomes on sets that may not be shipped, as far as they are there."""
    if not given.data.exists():
        return
    for name, (recipe, family, overrides) in _raw(given.data).items():
        start = begun_with(family, given.storage)
        run = _run(f"{name}-pretrained", (*overrides, *start), given.storage, recipe)
        yield f"{name}/pretrained", judged(run, name, ())
    references = ", ".join(str(given.data / "jfleg" / f"dev.ref{number}") for number in range(4))
    asked = (
        *("--task", "grammar_correction", "--data", str(given.data / "jfleg" / "dev.src")),
        *("source.kind=parallel", f"source.target_path=[{references}]", "target_field=targets"),
    )
    run = _run("grammar-pretrained", begun_with("t5", given.storage), given.storage, "grammar")
    yield "jfleg/pretrained", judged(run, "jfleg", asked)


PARTS = {"shipped": shipped, "labels": labels, "unshipped": unshipped}


def _raw(data: Path) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    pairs = f"{data}/multi30k"
    parallel = [
        f"{{kind: parallel, path: {pairs}/{name}.de.txt.gz, target_path: {pairs}/{name}.en.txt.gz, "
        f"split: {split}}}"
        for name, split in (("train", "train"), ("val", "validation"), ("test_2016_flickr", "test"))
    ]
    squad = f"{{kind: squad, path: {data}/squadshifts_new_wiki/new_wiki_v1.0.json.gz}}"
    longer = ("train.max_steps=2500", *_short(2500))
    return {
        "multi30k": ("translation", "t5", (f"data.sources=[{', '.join(parallel)}]", *longer)),
        "squadshifts": ("qa", "bert", (f"data.sources=[{squad}]", "data.test_share=0.1", *longer)),
    }


def base(family: str, storage: Path) -> Run:
    """Return the pretrained model of a family."""
    overrides = (*BASES.get(family, ()), ALONE)
    return trained(f"base-{family}", EXAMPLES / f"pretrain_{family}.yaml", overrides, storage)


def begun_with(family: str, storage: Path) -> tuple[str, ...]:
    """Return the overrides that begin with the pretrained model of a family."""
    return (f"init.from={base(family, storage).run_id}", *FROM_BASE)


def _run(name: str, overrides: Sequence[str], storage: Path, recipe: str = "") -> Run:
    return trained(name, EXAMPLES / f"finetune_{recipe or name}.yaml", (*overrides, ALONE), storage)


def _short(steps: int) -> tuple[str, ...]:
    return (
        f"evaluate.every_steps={steps // 5}",
        f"schedule.warmup_steps={steps // 10}",
        f"checkpoint.every_steps={steps}",
    )


def judged(run: Run, name: str, arguments: Sequence[str]) -> Outcome:
    """Return how the best checkpoint of a run does on its test split."""
    record = evaluated(run, "best", name, *arguments)
    metric = next(iter(record["metrics"]))
    low, high = record["intervals"][metric]
    baselines = {each: part["metrics"][metric] for each, part in record["baselines"].items()}
    return Outcome(metric, record["metrics"][metric], (low, high), baselines, sum(step_seconds(run)))


def _few_shot(storage: Path, count: int, seed: int) -> tuple[str, ...]:
    """Write a fixed 80/10/10 split of the film reviews with so many training rows; return the overrides."""
    folder = storage / "labels"
    rows = _reviews()
    tenth = len(rows) // 10
    parts = {"test": rows[:tenth], "validation": rows[tenth : 2 * tenth], "train": rows[2 * tenth :]}
    parts["train"] = random.Random(seed).sample(parts["train"], count or len(parts["train"]))  # noqa: S311
    sources = []
    for split, part in parts.items():
        path = folder / (f"train-{count or 'all'}-{seed}.csv" if split == "train" else f"{split}.csv")
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "file"), *part])
        sources.append(f"{{kind: csv, path: {path}, split: {split}, licence: CC-BY-4.0}}")
    return (f"data.sources=[{', '.join(sources)}]", "data.test_share=0")


def _reviews() -> list[tuple[str, str]]:
    """Return every review with its class, in an order drawn once for all."""
    rows = []
    for path in sorted((EXAMPLES / "data" / "rotten_tomatoes").glob("*.txt.gz")):
        with gzip.open(path, "rt", encoding="latin-1") as file:
            rows += [(line.strip(), path.name.split(".")[1]) for line in file if line.strip()]
    random.Random(0).shuffle(rows)  # noqa: S311
    return rows


def _named(name: str, outcome: Outcome) -> dict[str, float]:
    low, high = outcome.interval
    return {
        f"{name}/{outcome.metric}": outcome.value,
        f"{name}/low": low,
        f"{name}/high": high,
        f"{name}/training_seconds": outcome.seconds,
        **{f"{name}/baseline/{each}": value for each, value in outcome.baselines.items()},
    }


def _line(name: str, outcome: Outcome) -> str:
    low, high = outcome.interval
    beside = ", ".join(f"{each} {value:.3f}" for each, value in outcome.baselines.items())
    is_lower = is_lower_better(outcome.metric)
    beaten = all(high < value if is_lower else low > value for value in outcome.baselines.values())
    verdict = "" if beaten else "; not surely better than the baseline"
    return (
        f"{name:32}{outcome.metric} {outcome.value:.3f} ({low:.3f} to {high:.3f}), {beside}, "
        f"{outcome.seconds:.0f} s{verdict}"
    )


if __name__ == "__main__":
    main()
