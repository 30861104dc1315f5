"""Six families from random weights at an equal budget of arithmetic: what each has learned of the same texts.

Each recipe of examples/pretrain_*.yaml is trained in bfloat16 and in float32 for as many steps as the budget
allows, counted by torch on the products of a real step. Its loss is set beside the entropy of its targets;
the bfloat16 model is asked for bits per byte, minimal pairs (BLiMP) and a linear probe (film reviews).

Started again it goes on where it was: runs that have ended and evaluations that are there are kept.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from torch.utils.flop_counter import FlopCounterMode

import raylm
from bench import harness
from bench.harness import ROOT, SCRATCH
from bench.runs import raylm_command, step_seconds, trained
from raylm.data.packing import Packing
from raylm.data.prepare import prepare
from raylm.data.rows import RowReader
from raylm.data.shards import Dataset
from raylm.engine.parallel import LossModule
from raylm.objectives import Frame
from raylm.runs.read import curve
from raylm.runs.run import Run

FAMILIES = ("gpt2", "llama", "bert", "roberta", "t5", "xlnet")
PRECISIONS = ("bfloat16", "float32")
ASKED = "bfloat16"  # the precision of the models that are evaluated
BUDGET = 1.6e13  # FLOPs of forward and backward: 2,000 steps of the GPT-2 are 1.8e13
STORAGE = SCRATCH / "families"
DATA = ROOT / "examples" / "data"
# What is asked of the bfloat16 models: the name of the result, the metric, and the command's arguments.
EVALUATIONS = (
    ("validation", ("--limit", "60")),
    ("minimal_pairs", ("--task", "minimal_pairs", "--data", str(DATA / "blimp" / "blimp_sample.jsonl.gz"))),
    (
        "linear_probe",
        (
            *("--task", "linear_probe", "--data", str(DATA / "rotten_tomatoes" / "rt-polarity.*.txt.gz")),
            "encoding=latin-1",
        ),
    ),
)


def main() -> None:
    """Train, evaluate, print the table and write it."""
    parser = argparse.ArgumentParser(description="six families at an equal budget of arithmetic")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--budget", type=float, default=BUDGET, help="FLOPs of each training")
    parser.add_argument("--storage", type=Path, default=STORAGE)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures: dict[str, float] = {"budget_flops": arguments.budget}
    for family in arguments.families:
        flops = flops_per_step(family, arguments.storage)
        figures |= named(family, {"flops_per_step": flops, "steps": round(arguments.budget / flops)})
    for precision in arguments.precisions:
        for family in arguments.families:
            run = trained_family(family, precision, int(figures[f"{family}/steps"]), arguments.storage)
            figures |= named(f"{family}/{precision}", learned(run))
            if precision == ASKED:
                figures |= named(family, dict(evaluated(run, arguments.storage)))
            # Each time, so that a comparison that is cut short leaves what it has.
            harness.write_json(arguments.json, "families", figures)
    print_table(arguments.families, arguments.precisions, figures)


def named(prefix: str, values: dict[str, float]) -> dict[str, float]:
    """Return the values with a prefix before each name."""
    return {f"{prefix}/{name}": value for name, value in values.items()}


def recipe_path(family: str) -> Path:
    """Return the shipped recipe of a family."""
    return ROOT / "examples" / f"pretrain_{family}.yaml"


def run_id(family: str, precision: str, steps: int) -> str:
    """Return the name of a training; another number of steps is another training."""
    return f"{family}-{precision}-{steps}"


def flops_per_step(family: str, storage: Path) -> float:
    """Return the FLOPs of one training step: of the products of a real batch's forward and backward pass."""
    recipe = raylm.Recipe.load(recipe_path(family))
    prepared = prepare(recipe.data, recipe.tokenizer, str(storage))
    dataset = Dataset.open(Path(prepared.uri), Packing.of(recipe.data))
    plan = recipe.objective.row_plan(dataset.splits["train"], recipe.train.sequence_length)
    rows = RowReader(dataset.splits["train"], plan).rows(0, recipe.train.global_batch_size)
    frame = Frame(recipe.train.sequence_length, recipe.train.seed, dataset.vocabulary)
    model = recipe.model.build(dataset.vocabulary, recipe.train.sequence_length, recipe.objective.head)
    model.set_attn_implementation("eager")  # its products are ordinary ones, which the counter sees
    module = LossModule(model, recipe.objective)
    batch = recipe.objective.make_batch(rows, frame)
    with FlopCounterMode(display=False) as counter:
        total, _ = module(batch, recipe.objective.weights())
        total.backward()
    return counter.get_total_flops()


def trained_family(family: str, precision: str, steps: int, storage: Path) -> Run:
    """Return the ended run of a family, begun or gone on with as need be."""
    overrides = (f"train.precision={precision}", f"train.max_steps={steps}", "scaling.num_workers=0")
    return trained(run_id(family, precision, steps), recipe_path(family), overrides, storage)


def learned(run: Run) -> dict[str, float]:
    """Return the last losses of a run, the entropy of its targets, and what the training took."""
    losses = {name: curve(run, f"eval/{name}") for name in ("loss", "masked")}
    loss = (losses["masked"] or losses["loss"])[-1][1]
    entropy = curve(run, "train/unigram_entropy")[-1][1]
    rates = [rate for _, rate in curve(run, "throughput/tokens_per_second")]
    return {
        "loss": loss,
        "unigram_entropy": entropy,
        "loss_over_entropy": loss / entropy,
        "training_seconds": sum(step_seconds(run)),
        "tokens_per_second": statistics.median(rates),
    }


def evaluated(run: Run, storage: Path) -> Iterator[tuple[str, float]]:
    """Yield what the run's last checkpoint was found to be able to do."""
    folder = run.folder / "evaluations" / f"step-{run.checkpoints.steps()[-1]:08d}"
    for name, arguments in EVALUATIONS:
        if f"{name}.json" not in folder.names():
            raylm_command("evaluate", run.run_id, *arguments, "--storage", str(storage))
        record: dict[str, Any] = json.loads(folder.read(f"{name}.json"))
        for metric, value in record["metrics"].items():
            if isinstance(value, int | float):
                yield f"{name}/{metric}", float(value)


def print_table(families: Sequence[str], precisions: Sequence[str], figures: dict[str, float]) -> None:
    """Print a line for each family: what its loss is of its targets' entropy, and what it can do."""
    asked = [
        "validation/bits_per_byte",
        "validation/pseudo_bits_per_byte",
        "minimal_pairs/accuracy",
        "linear_probe/accuracy",
    ]
    columns = [f"{precision}/loss_over_entropy" for precision in precisions] + asked
    print(
        f"{'family':10}{'steps':>7}" + "".join(f"{column.rpartition('/')[2][:16]:>18}" for column in columns)
    )
    for family in families:
        cells = [figures.get(f"{family}/{column}") for column in columns]
        shown = "".join(f"{'-':>18}" if cell is None else f"{cell:18.4f}" for cell in cells)
        print(f"{family:10}{figures[f'{family}/steps']:7.0f}{shown}")


if __name__ == "__main__":
    main()
