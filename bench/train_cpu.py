"""Training speed on one CPU thread: raylm against Hugging Face's Trainer and a bare transformers loop.

Table 1: a 4-layer GPT-2 in bfloat16 (bench/recipes/gpt2_4x256.yaml); Trainer, bare loop and matrix products.
Table 2: examples/shakespeare_char.yaml in float32 against a bare loop over the same recipe.
Evaluation and checkpoints are left out on all sides; raylm's time includes writing every step's metrics.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import raylm
from bench import harness
from bench.harness import ROOT, Round, Variant
from raylm.data.prepare import prepare
from raylm.data.shards import Dataset

STEPS_FOR_EVER = 10_000_000


class Contest(NamedTuple):
    """One table: a recipe, who takes part, and how many steps a round has."""

    name: str
    recipe_path: Path
    variants: Mapping[str, str]  # name in the table -> module of bench.variants
    steps: int


CONTESTS = (
    Contest(
        "gpt2_bf16",
        ROOT / "bench" / "recipes" / "gpt2_4x256.yaml",
        {"raylm": "raylm_loop", "hf_trainer": "hf_trainer", "bare_loop": "bare_loop", "gemm": "gemm"},
        steps=20,
    ),
    Contest(
        "shakespeare_fp32",
        ROOT / "examples" / "shakespeare_char.yaml",
        {"raylm": "raylm_loop", "bare_loop": "bare_loop"},
        steps=100,
    ),
)


def main() -> None:
    """Run the contests and print their tables."""
    parser = argparse.ArgumentParser(description="training speed on one CPU thread against peers")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, help="steps in a round (default: 20 and 100)")
    parser.add_argument("--only", choices=[contest.name for contest in CONTESTS])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    for contest in CONTESTS:
        if arguments.only in (None, contest.name):
            figures |= run_contest(contest, arguments.steps or contest.steps, arguments.rounds)
    harness.write_json(arguments.json, "train_cpu", figures)


def run_contest(contest: Contest, steps: int, rounds: int) -> dict[str, float]:
    """Measure one table, print it and return its figures."""
    harness.SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=harness.SCRATCH) as scratch:
        recipe = raylm.Recipe.load(contest.recipe_path)
        prepared = prepare(recipe.data, recipe.tokenizer, scratch)
        options = options_of(recipe, contest, Path(prepared.uri), scratch)
        variants = [Variant(name, module, options) for name, module in contest.variants.items()]
        results = harness.measure(variants, steps=steps, rounds=rounds)
    flops = recipe.model.flops_per_token(options["vocab_size"], recipe.train.sequence_length)
    return print_table(contest.name, results, flops)


def options_of(recipe: raylm.Recipe, contest: Contest, dataset_path: Path, scratch: str) -> dict[str, Any]:
    """Return the recipe as plain values for variants that know nothing of raylm, and what raylm needs."""
    dataset = Dataset.open(dataset_path)
    split = dataset.splits["train"]
    tokens_path = Path(scratch) / "tokens.npy"
    np.save(tokens_path, split.read("tokens", 0, split.num_tokens))
    values = recipe.model_dump(mode="json")
    return {
        "model": values["model"],
        "vocab_size": dataset.vocab_size,
        "tokens": str(tokens_path),
        **{name: values["train"][name] for name in ("sequence_length", "global_batch_size", "precision")},
        **{
            name: values["optimizer"][name]
            for name in ("learning_rate", "betas", "weight_decay", "max_grad_norm")
        },
        "warmup_steps": recipe.schedule.warmup_steps,
        "decay_steps": recipe.train.num_steps(0),
        "min_share": recipe.schedule.min_learning_rate / recipe.optimizer.learning_rate,
        "recipe": str(contest.recipe_path),
        "storage": scratch,
        "overrides": [
            f"data.path={dataset_path}",
            f"schedule.decay_steps={recipe.train.num_steps(0)}",
            f"train.max_steps={STEPS_FOR_EVER}",
            f"checkpoint.every_steps={STEPS_FOR_EVER}",
            "evaluate.every_steps=null",
            "scaling.num_workers=0",
            "scaling.threads_per_worker=1",
        ],
    }


def print_table(
    contest: str, results: Mapping[str, Sequence[Round]], flops_per_token: float
) -> dict[str, float]:
    """Print rates, ratios, utilisation and memory; return them as figures."""
    gemm = results.get("gemm")
    trained = {name: rounds for name, rounds in results.items() if name != "gemm"}
    figures = harness.figures(trained, contest)
    print(f"\n{contest}: one thread, median of {len(results['raylm'])} rounds")
    print(f"{'':12}{'tokens/CPU-s':>14}{'raylm / it':>12}{'of GEMM':>10}{'peak MiB':>10}")
    for name in trained:
        rate, peak = (figures[f"{contest}/{name}/{key}"] for key in ("tokens_per_cpu_second", "peak_mib"))
        against = harness.ratio(results, "raylm", name)
        share = harness.ratio(results, name, "gemm") * flops_per_token if gemm else None
        if name != "raylm":
            figures[f"{contest}/raylm_over_{name}"] = against
        if share is not None:
            figures[f"{contest}/{name}/share_of_gemm"] = share
        print(
            f"{name:12}{rate:14.0f}{against:12.2f}{'' if share is None else f'{share:.0%}':>10}{peak:10.0f}"
        )
    print("raylm / it: raylm's tokens per CPU-second over its; 1.11 means 0.9 of its CPU-seconds")
    print(f"{flops_per_token / 1e6:.2f} MFLOP a token (6 N + 12 L D T, PaLM appendix B)")
    return figures


if __name__ == "__main__":
    main()
