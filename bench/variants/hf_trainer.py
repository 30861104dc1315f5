"""Hugging Face's Trainer over the same model, data, batch and optimizer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from bench.harness import SCRATCH
from bench.variants.bare_loop import gpt2


class Windows(torch.utils.data.Dataset):
    """Consecutive windows of the training tokens as the Trainer wants them."""

    def __init__(self, path: str, length: int) -> None:
        self.tokens = np.load(path, mmap_mode="r")
        self.length = length

    def __len__(self) -> int:
        return len(self.tokens) // self.length

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        start = index * self.length
        window = torch.from_numpy(self.tokens[start : start + self.length].astype(np.int64))
        return {"input_ids": window, "labels": window}


class Ticking(TrainerCallback):
    """Tells the harness of each optimizer step."""

    def __init__(self, tick: Callable[[float], None], tokens_per_step: int) -> None:
        self.tick, self.tokens_per_step = tick, tokens_per_step

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.tick(self.tokens_per_step)


def run(options: dict[str, Any], tick: Callable[[float], None]) -> None:
    """Train for ever."""
    arguments = TrainingArguments(
        output_dir=str(SCRATCH / "hf_trainer"),
        max_steps=10**9,
        per_device_train_batch_size=options["global_batch_size"],
        learning_rate=options["learning_rate"],
        weight_decay=options["weight_decay"],
        adam_beta1=options["betas"][0],
        adam_beta2=options["betas"][1],
        max_grad_norm=options["max_grad_norm"],
        warmup_steps=options["warmup_steps"],
        bf16=options["precision"] == "bfloat16",
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    tokens_per_step = options["global_batch_size"] * options["sequence_length"]
    Trainer(
        model=gpt2(options),
        args=arguments,
        train_dataset=Windows(options["tokens"], options["sequence_length"]),
        callbacks=[Ticking(tick, tokens_per_step)],
    ).train()
