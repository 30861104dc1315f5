"""The loop a person writes with transformers and torch alone: the library's defaults, nothing else."""

import contextlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

Options = dict[str, Any]


def gpt2(options: Options) -> GPT2LMHeadModel:
    """Return transformers' GPT-2 of the recipe's shape, everything else at its default."""
    shape = options["model"]
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=options["vocab_size"],
            n_positions=options["sequence_length"],
            n_embd=shape["hidden_size"],
            n_layer=shape["num_layers"],
            n_head=shape["num_heads"],
            resid_pdrop=shape["dropout"],
            embd_pdrop=shape["dropout"],
            attn_pdrop=shape["dropout"],
        )
    )


def batch(tokens: np.ndarray, options: Options) -> torch.Tensor:
    """Return random windows (B, T) of the training tokens."""
    length = options["sequence_length"]
    starts = torch.randint(len(tokens) - length, (options["global_batch_size"],))
    return torch.stack([torch.from_numpy(tokens[s : s + length].astype(np.int64)) for s in starts.tolist()])


def learning_rate(step: int, options: Options) -> float:
    """Return the share of the peak rate: linear warm-up, then cosine to the floor."""
    warmup, horizon, floor = options["warmup_steps"], options["decay_steps"], options["min_share"]
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, horizon - warmup))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))


def run(options: Options, tick: Callable[[float], None]) -> None:
    """Train for ever."""
    torch.manual_seed(0)
    tokens = np.load(options["tokens"], mmap_mode="r")
    model = gpt2(options)
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=options["learning_rate"],
        betas=tuple(options["betas"]),
        weight_decay=options["weight_decay"],
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(step, options))
    is_half = options["precision"] == "bfloat16"
    compute = torch.autocast("cpu", torch.bfloat16) if is_half else contextlib.nullcontext()
    while True:
        inputs = batch(tokens, options)
        with compute:
            loss = model(input_ids=inputs, labels=inputs).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), options["max_grad_norm"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        loss.item()
        tick(inputs.numel())
