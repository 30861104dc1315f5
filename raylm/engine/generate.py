"""Text from a causal model, token by token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn."""

    max_new_tokens: int = 200
    temperature: float = 0.8  # 0 takes the likeliest token
    top_k: int | None = None  # keep the k likeliest tokens (Fan et al. 2018)
    top_p: float | None = None  # keep the likeliest tokens that sum to p (Holtzman et al. 2020)
    seed: int | None = None


def stream(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, sampling: Sampling
) -> Iterator[str]:
    """Yield the continuation of a prompt piece by piece; a piece never ends inside a character.

    Past the model's context the oldest tokens are left out.
    """
    generator = torch.Generator(model.device)
    if sampling.seed is None:
        generator.seed()
    else:
        generator.manual_seed(sampling.seed)
    ids: list[int] = tokenizer.encode(prompt, add_special_tokens=False)
    ids = ids or [cast("int", tokenizer.eos_token_id)]
    num_prompt, num_shown = len(ids), 0
    for token in _tokens(model, ids, sampling, generator):
        if token == tokenizer.eos_token_id:
            break
        ids.append(token)
        text = cast("str", tokenizer.decode(ids[num_prompt:], skip_special_tokens=True))
        # A replacement character at the end is half a character: the next token may complete it.
        if not text.endswith("\ufffd"):
            yield text[num_shown:]
            num_shown = len(text)


@torch.inference_mode()
def _tokens(
    model: PreTrainedModel, ids: list[int], sampling: Sampling, generator: torch.Generator
) -> Iterator[int]:
    """Yield new ids; the caller appends each to `ids`. Keys and values are cached while the context lasts."""
    context = model.config.max_position_embeddings
    cache = None
    model.eval()
    for _ in range(sampling.max_new_tokens):
        is_full = len(ids) > context
        window = ids[-1:] if cache is not None and not is_full else ids[-context:]
        output = model(
            input_ids=torch.tensor([window], device=model.device),
            past_key_values=None if is_full else cache,
            use_cache=not is_full,
        )
        cache = None if is_full else output.past_key_values
        yield choose(output.logits[0, -1].float(), sampling, generator)


def choose(logits: Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    """Return the next id from logits (V,): the likeliest at temperature 0, else drawn from what is kept."""
    if sampling.temperature == 0:
        return int(logits.argmax())
    ordered, ids = (logits / sampling.temperature).sort(descending=True)
    if sampling.top_k:
        ordered, ids = ordered[: sampling.top_k], ids[: sampling.top_k]
    shares = ordered.softmax(-1)
    if sampling.top_p is not None:
        # The first token always stays: what counts is the sum before each.
        shares = shares.masked_fill(shares.cumsum(-1) - shares >= sampling.top_p, 0.0)
    return int(ids[torch.multinomial(shares, 1, generator=generator)])
