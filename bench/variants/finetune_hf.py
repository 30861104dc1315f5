"""Hugging Face's Trainer over the rows that raylm packed: the same inputs, targets, weights and settings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments

from bench.harness import SCRATCH

Rows = dict[str, np.ndarray]


class Packed(torch.utils.data.Dataset):
    """Packed rows in the order in which raylm draws them."""

    def __init__(self, rows: Rows) -> None:
        self.order = rows["order"].tolist()
        self.columns = {
            name: torch.from_numpy(rows[name]) for name in ("input_ids", "labels", "position_ids")
        }

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        row = {name: values[self.order[index]] for name, values in self.columns.items()}
        # raylm's targets stand where they are predicted, which transformers calls shifted labels.
        return {**row, "shift_labels": row["labels"]}


class Watch(TrainerCallback):
    """Tells the harness of each step's tokens, padding left out, and writes down each loss that is logged."""

    def __init__(self, tick: Callable[[float], None], tokens_of_steps: list[int], log_path: str) -> None:
        self.tick, self.tokens_of_steps, self.log_path = tick, tokens_of_steps, Path(log_path)

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        del args, control
        with self.log_path.open("a") as file:
            file.write(json.dumps([state.global_step, kwargs["logs"]["loss"]]) + "\n")

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        del args, control, kwargs
        self.tick(self.tokens_of_steps[state.global_step - 1])


def arguments_of(options: dict[str, Any]) -> TrainingArguments:
    """Return the recipe's settings in the Trainer's words; all else is at its default."""
    return TrainingArguments(
        output_dir=str(SCRATCH / "finetune_hf"),
        max_steps=options["max_steps"],
        per_device_train_batch_size=options["global_batch_size"],
        train_sampling_strategy="sequential",
        remove_unused_columns=False,  # it does not know shift_labels
        learning_rate=options["learning_rate"],
        lr_scheduler_type="constant",
        weight_decay=options["weight_decay"],
        adam_beta1=options["betas"][0],
        adam_beta2=options["betas"][1],
        max_grad_norm=options["max_grad_norm"],
        optim="adamw_torch_fused",
        bf16=options["precision"] == "bfloat16",
        use_cpu=True,
        dataloader_pin_memory=False,
        logging_first_step=True,
        logging_steps=options["log_every"],
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def run(options: dict[str, Any], tick: Callable[[float], None]) -> None:
    """Train a little longer than the bench lasts."""
    rows = dict(np.load(options["rows"]))
    tokens = rows["num_tokens"][rows["order"]].reshape(-1, options["global_batch_size"]).sum(axis=1)
    Trainer(
        model=LlamaForCausalLM.from_pretrained(options["base"], dtype=torch.float32),
        args=arguments_of(options),
        train_dataset=Packed(rows),
        callbacks=[Watch(tick, tokens.tolist(), options["log"])],
    ).train()
