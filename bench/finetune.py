"""Supervised fine-tuning with packing on one CPU thread: raylm against Hugging Face's Trainer.

Both begin with the same weights, a Llama of 10 million over 8,192 byte pairs, and see the same packed rows of
512 tokens in the same order, records of one row kept apart; both take steps of fused AdamW at the same rate.
Before anything is timed their losses must agree. Evaluation and checkpoints are left out on both sides;
raylm's time includes writing every step's metrics. Neither side starts other processes, so the CPU time of
the process is all that it used.

python -m bench.finetune --json bench/results/finetune.json
"""

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import raylm
from bench import harness
from bench.harness import ROOT, Round, Variant
from bench.train_cpu import STEPS_FOR_EVER
from raylm.data.packing import Packing
from raylm.data.prepare import prepare
from raylm.data.rows import Row, RowReader
from raylm.data.shards import Dataset
from raylm.data.shares import order_for
from raylm.objectives import Frame
from raylm.runs.catalogue import list_runs
from raylm.runs.read import curve

EXAMPLES = ROOT / "examples"
TASKS = {
    "chat": (),
    "code_explanation": (
        "task={kind: code_explanation}",
        f"data.sources=[{{kind: jsonl, path: {EXAMPLES}/data/code_explanations/code_explanations.jsonl.gz}}]",
    ),
}
# Of the first loss, relative: records that saw each other would move it by 3e-4.
TOLERANCES = {"bfloat16": 5e-5, "float32": 1e-6}
CHECKED_STEPS = 4  # after the first one; weights differ by then, so they are shown and not judged
RATE_GOAL, PEAK_GOAL = 1.2, 0.8
IMPORTS = {
    "raylm": ("raylm", "raylm.distributed.drive", "raylm.engine.start", "bench.variants.raylm_loop"),
    "hf_trainer": ("bench.variants.finetune_hf",),
}
LLAMA = "transformers.models.llama.modeling_llama"


class Length(NamedTuple):
    """How long is measured."""

    steps: int  # in a round
    rounds: int
    threads: int


class Stage(NamedTuple):
    """Where both sides find what they begin with."""

    folder: Path
    base: Path  # config.json, weights and tokenizer
    task: str
    precision: str

    @property
    def name(self) -> str:
        """Before each of its figures."""
        return f"{self.task}_{self.precision}"

    def overrides(self) -> list[str]:
        """Return what makes the example's recipe this one."""
        return [
            f"init.from={self.base}",
            "model=null",
            "tokenizer=null",
            *TASKS[self.task],
            "data.packing=best_fit",
            "data.test_share=0",
            "schedule={kind: constant}",
            "train.sequence_length=512",
            f"train.max_steps={STEPS_FOR_EVER}",
            f"train.precision={self.precision}",
            f"checkpoint.every_steps={STEPS_FOR_EVER}",
            "checkpoint.keep_best=false",
            "evaluate.every_steps=null",
            "scaling.num_workers=0",
        ]


def main() -> None:
    """Measure each task in each precision, print the tables and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=["chat"])
    parser.add_argument("--precision", nargs="+", choices=TOLERANCES, default=["bfloat16"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20, help="steps in a round")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    length = Length(arguments.steps, arguments.rounds, arguments.threads)
    figures: dict[str, float] = {}
    harness.SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=harness.SCRATCH) as scratch:
        folder = Path(scratch)
        base = make_base(folder)
        imports = measured_imports(length.threads)
        for task in arguments.tasks:
            for precision in arguments.precision:
                figures |= run_contest(Stage(folder, base, task, precision), length, imports)
    harness.write_json(arguments.json, "finetune", figures)


def make_base(folder: Path) -> Path:
    """Write a Llama as it begins its pretraining, and a tokenizer that has read the books and WikiText-2."""
    shape = ("model.num_layers=6", "model.num_heads=5", "model.hidden_size=320", "tokenizer.vocab_size=8192")
    recipe = raylm.Recipe.load(EXAMPLES / "pretrain_llama.yaml", [*shape, "train.sequence_length=512"])
    dataset = Dataset.open(prepare(recipe.data, recipe.tokenizer, str(folder)).uri)
    torch.manual_seed(recipe.train.seed)
    model = recipe.model.build(dataset.vocabulary, recipe.train.sequence_length, recipe.objective.head)
    model.save_pretrained(folder / "base")
    shutil.copytree(dataset.tokenizer_path, folder / "base", dirs_exist_ok=True)
    return folder / "base"


def measured_imports(threads: int) -> dict[str, float]:
    """Return the peak memory of processes that have only imported, MiB."""
    variants = [
        Variant(name, "finetune_imports", {"modules": [*modules, LLAMA]}) for name, modules in IMPORTS.items()
    ]
    results = harness.measure(variants, steps=1, rounds=1, threads=threads)
    return {name: rounds[-1].peak_bytes / 2**20 for name, rounds in results.items()}


def run_contest(stage: Stage, length: Length, imports: Mapping[str, float]) -> dict[str, float]:
    """Check that both sides do the same work, measure them, print the table and return its figures."""
    recipe = raylm.Recipe.load(EXAMPLES / "finetune_chat.yaml", stage.overrides())
    num_steps = 1 + max(CHECKED_STEPS + 1, length.steps * (length.rounds + 1))
    options = options_of(recipe, stage, num_steps, length.threads)
    check_losses(stage, options, length.threads)
    variants = variants_of(options, stage.folder / f"{stage.name}-timed")
    results = harness.measure(variants, steps=length.steps, rounds=length.rounds, threads=length.threads)
    work = [[each.work for each in rounds] for rounds in results.values()]
    assert work[0] == work[1], f"the two did not read the same tokens: {work}"
    return print_table(stage, results, imports)


def options_of(recipe: raylm.Recipe, stage: Stage, num_steps: int, threads: int) -> dict[str, Any]:
    """Return the recipe and its rows as the Trainer's variant wants them, and what raylm needs."""
    prepared = prepare(recipe.data, recipe.tokenizer, str(stage.folder), lesson=recipe.lesson)
    rows_path = stage.folder / f"{stage.name}.npz"
    # Two steps more: the Trainer fetches a batch ahead, and must not come to an end.
    np.savez(rows_path, allow_pickle=False, **packed_rows(recipe, Path(prepared.uri), num_steps + 2))
    names = ("learning_rate", "betas", "weight_decay", "max_grad_norm")
    values = recipe.model_dump(mode="json")
    return {
        **{name: values["optimizer"][name] for name in names},
        **{name: values["train"][name] for name in ("global_batch_size", "precision")},
        "base": str(stage.base),
        "rows": str(rows_path),
        "max_steps": num_steps + 2,
        "log_every": STEPS_FOR_EVER,
        "recipe": str(EXAMPLES / "finetune_chat.yaml"),
        "overrides": [
            *stage.overrides(),
            f"data.path={prepared.uri}",
            f"scaling.threads_per_worker={threads}",
        ],
    }


def packed_rows(recipe: raylm.Recipe, dataset_path: Path, num_steps: int) -> dict[str, np.ndarray]:
    """Return raylm's batch of all training rows, and the order in which it draws them."""
    dataset = Dataset.open(dataset_path, Packing.of(recipe.data))
    train = recipe.train
    plan = recipe.objective.row_plan(dataset.splits["train"], train.sequence_length)
    rows = RowReader(dataset.splits["train"], plan).rows(0, plan.num_rows)
    frame = Frame(train.sequence_length, train.seed, dataset.vocabulary)
    batch = {name: each.numpy() for name, each in recipe.objective.make_batch(rows, frame).items()}
    # With no record behind it, padding needs no positions of its own: a batch of such rows needs no mask.
    batch["position_ids"][num_records(rows) == 1] = np.arange(train.sequence_length)
    order = order_for(recipe.data, dataset.source_names, plan.source_rows, train.seed)
    filled = batch["num_tokens"].mean() / train.sequence_length
    print(
        f"{plan.num_rows} rows, {num_records(rows).mean():.1f} records a row, {filled:.0%} of it filled, "
        f"{(batch['labels'] >= 0).sum() / batch['num_tokens'].sum():.0%} of the tokens predict"
    )
    return {**batch, "order": order.rows(0, num_steps * train.global_batch_size)}


def num_records(rows: Sequence[Row]) -> np.ndarray:
    """Return how many records each row holds: an array of tokens and one of targets each."""
    return np.array([len(row.arrays) // 2 for row in rows])


def variants_of(options: Mapping[str, Any], storage: Path) -> list[Variant]:
    """Return the two sides, with a storage of their own."""
    storage.mkdir()
    options = {**options, "storage": str(storage), "log": str(storage / "hf_trainer.jsonl")}
    return [Variant("raylm", "raylm_loop", options), Variant("hf_trainer", "finetune_hf", options)]


def check_losses(stage: Stage, options: Mapping[str, Any], threads: int) -> None:
    """Take a few steps on both sides and compare their losses; a benchmark of other work says nothing."""
    storage = stage.folder / f"{stage.name}-checked"
    variants = variants_of({**options, "log_every": 1 + CHECKED_STEPS}, storage)
    # A step more: the Trainer logs a step after it has told of it.
    harness.measure(variants, steps=CHECKED_STEPS + 1, rounds=0, threads=threads)
    ours = [loss for _, loss in curve(list_runs([str(storage)])[0], "train/loss")]
    lines = (storage / "hf_trainer.jsonl").read_text().splitlines()
    first, later = (json.loads(line)[1] for line in lines)
    mean = statistics.mean(ours[1 : 1 + CHECKED_STEPS])
    print(f"first loss: raylm {ours[0]:.6f}, hf_trainer {first:.6f} ({ours[0] / first - 1:+.1e})")
    print(f"mean of the next {CHECKED_STEPS}: {mean:.6f}, {later:.6f} ({mean / later - 1:+.1e})")
    assert abs(ours[0] / first - 1) <= TOLERANCES[stage.precision], "the two do not compute the same loss"


def print_table(
    stage: Stage, results: Mapping[str, Sequence[Round]], imports: Mapping[str, float]
) -> dict[str, float]:
    """Print rates and memory beside their goals; return them as figures."""
    figures = harness.figures(results, stage.name)
    print(f"\n{stage.name}: median of {len(results['raylm'])} rounds")
    print(f"{'':12}{'tokens/CPU-s':>14}{'peak MiB':>10}{'imports':>10}{'above':>10}")
    for name in results:
        rate, peak = (figures[f"{stage.name}/{name}/{key}"] for key in ("tokens_per_cpu_second", "peak_mib"))
        figures[f"{stage.name}/{name}/imports_mib"] = imports[name]
        figures[f"{stage.name}/{name}/above_imports_mib"] = peak - imports[name]
        print(f"{name:12}{rate:14.0f}{peak:10.0f}{imports[name]:10.0f}{peak - imports[name]:10.0f}")
    ours, theirs = (f"{stage.name}/{name}" for name in ("raylm", "hf_trainer"))
    rate = figures[f"{ours}_over_hf_trainer"] = harness.ratio(results, "raylm", "hf_trainer")
    for key in ("peak_mib", "above_imports_mib"):
        figures[f"{ours}_over_hf_trainer/{key}"] = figures[f"{ours}/{key}"] / figures[f"{theirs}/{key}"]
    peak, above = (figures[f"{ours}_over_hf_trainer/{key}"] for key in ("peak_mib", "above_imports_mib"))
    print(f"raylm / hf_trainer: tokens per CPU-second {rate:.2f} (goal {RATE_GOAL}), peak memory {peak:.2f}")
    print(f"(goal {PEAK_GOAL}), above imports {above:.2f}; tokens are those of records, padding left out")
    return figures


if __name__ == "__main__":
    main()
