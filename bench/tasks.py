"""Ten tasks from real data, from random weights and from a pretrained model, beside baselines.

Four models are pretrained first, by examples/pretrain_*.yaml: a BERT, a T5 and two Llamas. One Llama reads
film reviews too, those of the training split without their labels; the other reads rows of 512 tokens, as
chats and programs need them. Each recipe of examples/finetune_*.yaml is trained as it is and from the model
of its family; both are judged on the test split. From the Llama and from random weights sentiment is
learned of 200, 1,000 and all labels with three seeds, and with LoRA of all. Sets that may not be shipped
are read where they lie (--data).

As many trainings as there are cores run beside each other. Started again it goes on where it was: runs that
have ended and evaluations that are there are kept, and figures that are not measured again stay in the JSON.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from bench import harness
from bench.harness import ROOT, SCRATCH
from bench.runs import evaluated, trained
from raylm.metrics import is_lower_better
from raylm.recipe import Recipe
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
    "code": ("long_llama", ("--task", "code_generation", "runs_code=true")),
    "chat": ("long_llama", ()),
}
# Of what the Llama reads: film reviews, books, WikiText-2.
LLAMA_SHARES = (0.5, 0.35, 0.15)
# As many tokens a step as the recipe has.
LONG = ("train.sequence_length=512", "train.global_batch_size=2", "train.micro_batch_size=2")
LABELS = (200, 1000, 0)  # 0: all
# At this width most weights are embeddings: without them LoRA is eight points behind.
ADAPTED = "q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, embed_tokens"
LORA = (
    "adapter.kind=lora",
    "adapter.rank=4",
    f"adapter.target_modules=[{ADAPTED}]",
    "optimizer.learning_rate=2e-3",
)
STEPS = {200: 150, 1000: 300, 0: 600}
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
    others: dict[str, float]
    """What else the task measures."""


class Trial(NamedTuple):
    """A run and how it is judged."""

    name: str
    run_id: str
    recipe: str
    begin: Callable[[Path], Sequence[str]]
    """Given the storage, the overrides that say with which weights it begins."""
    overrides: Sequence[str] = ()
    arguments: Sequence[str] = ()
    """How the evaluation is asked."""
    evaluation: str = ""
    """What it is called in the run; the recipe's name where empty."""

    def outcome(self, storage: Path) -> Outcome:
        """Train, and return how the run does on its test split."""
        path = EXAMPLES / f"finetune_{self.recipe}.yaml"
        overrides = (*self.overrides, *self.begin(storage), ALONE)
        with _MADE[self.run_id]:
            run = trained(self.run_id, path, overrides, storage)
        return judged(run, self.evaluation or self.recipe, self.arguments)


def main() -> None:
    """Train, evaluate, print the tables and write them."""
    parser = argparse.ArgumentParser(description="ten tasks, from random weights and from a pretrained model")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--data", type=Path, default=RAW, help="sets that may not be shipped")
    parser.add_argument("--storage", type=Path, default=STORAGE)
    parser.add_argument("--at-once", type=int, default=os.cpu_count(), help="trainings beside each other")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    trials = [trial for part in given.parts for trial in PARTS[part](given)]
    figures = _measured_before(given.json)
    with ThreadPoolExecutor(given.at_once) as pool:
        outcomes = pool.map(lambda trial: trial.outcome(given.storage), trials)
        for trial, outcome in zip(trials, outcomes, strict=True):
            figures |= _named(trial.name, outcome)
            print(_line(trial.name, outcome), flush=True)
            # Each time, so that what is cut short leaves what it has.
            harness.write_json(given.json, "tasks", figures)


def _measured_before(path: Path | None) -> dict[str, Any]:
    return json.loads(path.read_bytes())["figures"] if path and path.exists() else {}


def shipped(given: argparse.Namespace) -> Iterator[Trial]:
    """Yield each recipe as it is, and from its family's pretrained model."""
    for task in given.tasks:
        family, arguments = TASKS[task]
        yield Trial(f"{task}/random", task, task, as_it_is, arguments=arguments)
        yield Trial(f"{task}/pretrained", f"{task}-pretrained", task, begun_with(family), arguments=arguments)


def labels(given: argparse.Namespace) -> Iterator[Trial]:
    """Yield sentiment by number of labels, start and seed, and LoRA on all labels."""
    for count in LABELS:
        for seed in SEEDS:
            steps = STEPS[count]
            data = _few_shot(given.storage, count, seed)
            fixed = (*data, f"train.seed={seed}", f"train.max_steps={steps}", *_short(steps))
            starts = {"random": (small_llama, ()), "pretrained": (begun_with("llama"), ())}
            if not count and not seed:
                starts["lora"] = (begun_with("llama"), LORA)
            for name, (begin, more) in starts.items():
                labelled = f"{count or 'all'}/{name}/{seed}"
                run_id = f"sentiment-{labelled.replace('/', '-')}"
                yield Trial(f"labels/{labelled}", run_id, "sentiment", begin, (*fixed, *more))


def unshipped(given: argparse.Namespace) -> Iterator[Trial]:
    """Yield the sets that may not be shipped, as far as they are there."""
    if not given.data.exists():
        return
    for name, (recipe, family, overrides) in _raw(given.data).items():
        yield Trial(f"{name}/pretrained", f"{name}-pretrained", recipe, begun_with(family), overrides)
    references = ", ".join(str(given.data / "jfleg" / f"dev.ref{number}") for number in range(4))
    asked = (
        *("--task", "grammar_correction", "--data", str(given.data / "jfleg" / "dev.src")),
        *("source.kind=parallel", f"source.target_path=[{references}]", "target_field=targets"),
    )
    yield Trial("jfleg/pretrained", "grammar-pretrained", "grammar", begun_with("t5"), (), asked, "jfleg")


PARTS = {"shipped": shipped, "labels": labels, "unshipped": unshipped}


def _raw(data: Path) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    pairs = f"{data}/multi30k"
    parallel = [
        f"{{kind: parallel, path: {pairs}/{name}.de.txt.gz, target_path: {pairs}/{name}.en.txt.gz, "
        f"split: {split}}}"
        for name, split in (("train", "train"), ("val", "validation"), ("test_2016_flickr", "test"))
    ]
    squad = f"{{kind: squad, path: {data}/squadshifts_new_wiki/new_wiki_v1.0.json.gz}}"
    longer = ("train.max_steps=800", *_short(800))
    return {
        "multi30k": ("translation", "t5", (f"data.sources=[{', '.join(parallel)}]", *longer)),
        "squadshifts": ("qa", "bert", (f"data.sources=[{squad}]", "data.test_share=0.1", *longer)),
    }


def base(family: str, storage: Path) -> Run:
    """Return the pretrained model of a family."""
    special = {"llama": _reviews_too, "long_llama": lambda _storage: LONG}
    overrides = (*special.get(family, as_it_is)(storage), ALONE)
    recipe = EXAMPLES / f"pretrain_{family.removeprefix('long_')}.yaml"
    with _MADE[family]:  # by the first who asks; the others wait
        return trained(f"base-{family}", recipe, overrides, storage)


def _reviews_too(storage: Path) -> Sequence[str]:
    """Return the overrides by which the Llama reads film reviews as well."""
    path = str(_labels_file(storage, 0, 0))
    _few_shot(storage, 0, 0)
    reviews = {"kind": "csv", "name": "film reviews", "path": path, "licence": "CC-BY-4.0"}
    others = Recipe.load(EXAMPLES / "pretrain_llama.yaml").data.sources
    sources = [reviews, *(source.model_dump(mode="json", exclude_unset=True) for source in others)]
    weighted = [{**source, "weight": weight} for source, weight in zip(sources, LLAMA_SHARES, strict=True)]
    return (f"data.sources={json.dumps(weighted)}", "tokenizer.vocab_size=8192")


_MADE: Mapping[str, threading.Lock] = defaultdict(threading.Lock)


def as_it_is(_storage: Path) -> Sequence[str]:
    """Return no overrides: the recipe's own model, from random weights."""
    return ()


def small_llama(_storage: Path) -> Sequence[str]:
    """Return the overrides that begin with random weights of the shape of the pretrained Llama."""
    model = "model={kind: llama, num_layers: 4, num_heads: 4, hidden_size: 128}"
    return (model, "tokenizer={kind: byte_bpe, vocab_size: 8192}")


def begun_with(family: str) -> Callable[[Path], Sequence[str]]:
    """Return what gives the overrides that begin with the pretrained model of a family."""
    return lambda storage: (f"init.from={base(family, storage).run_id}", *FROM_BASE)


def _short(steps: int) -> tuple[str, ...]:
    return (
        f"evaluate.every_steps={steps // 5}",
        f"schedule.warmup_steps={steps // 10}",
        f"checkpoint.every_steps={steps}",
    )


def judged(run: Run, name: str, arguments: Sequence[str]) -> Outcome:
    """Return how a run does on its test split: its best checkpoint where it keeps one, else the last."""
    keeps_best = Recipe.from_yaml(run.recipe_yaml()).checkpoint.keep_best
    record = evaluated(run, "@best" if keeps_best else "", name, *arguments)
    metric = next(iter(record["metrics"]))
    low, high = record["intervals"][metric]
    baselines = {each: part["metrics"][metric] for each, part in record["baselines"].items()}
    others = {name: value for name, value in record["metrics"].items() if name != metric}
    return Outcome(metric, record["metrics"][metric], (low, high), baselines, others)


def _few_shot(storage: Path, count: int, seed: int) -> tuple[str, ...]:
    """Write a fixed 80/10/10 split of the film reviews with so many training rows; return the overrides."""
    folder = storage / "labels"
    rows = _reviews()
    tenth = len(rows) // 10
    parts = {"test": rows[:tenth], "validation": rows[tenth : 2 * tenth], "train": rows[2 * tenth :]}
    parts["train"] = random.Random(seed).sample(parts["train"], count or len(parts["train"]))  # noqa: S311
    sources = []
    for split, part in parts.items():
        path = _labels_file(storage, count, seed) if split == "train" else folder / f"{split}.csv"
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "file"), *part])
        sources.append(f"{{kind: csv, path: {path}, split: {split}, licence: CC-BY-4.0}}")
    return (f"data.sources=[{', '.join(sources)}]", "data.test_share=0")


def _labels_file(storage: Path, count: int, seed: int) -> Path:
    return storage / "labels" / f"train-{count or 'all'}-{seed}.csv"


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
        **{f"{name}/{other}": value for other, value in outcome.others.items()},
        f"{name}/low": low,
        f"{name}/high": high,
        **{f"{name}/baseline/{each}": value for each, value in outcome.baselines.items()},
    }


def _line(name: str, outcome: Outcome) -> str:
    low, high = outcome.interval
    beside = ", ".join(f"{each} {value:.3f}" for each, value in outcome.baselines.items())
    is_lower = is_lower_better(outcome.metric)
    beaten = all(high < value if is_lower else low > value for value in outcome.baselines.values())
    verdict = "" if beaten else "; not surely better than the baseline"
    return f"{name:32}{outcome.metric} {outcome.value:.3f} ({low:.3f} to {high:.3f}), {beside}{verdict}"


if __name__ == "__main__":
    main()
