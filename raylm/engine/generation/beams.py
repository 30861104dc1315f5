"""Beam search, which is transformers' own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from raylm.engine.generation.decoding import Decoding
from raylm.engine.generation.writer import Speaker


class Beam(NamedTuple):
    """A text that was found."""

    tokens: list[int]
    score: float
    """Mean log-probability of its tokens."""


def search(
    speaker: Speaker, inputs: Mapping[str, Any], decoding: Decoding, is_cancelled: Callable[[], bool]
) -> list[Beam]:
    """Return the likeliest texts of one prompt, the best first; cancelled, whatever was found."""
    model, tokenizer = speaker.model, speaker.tokenizer
    end = cast("int", tokenizer.eos_token_id)
    config = GenerationConfig(
        num_beams=decoding.num_beams,
        num_return_sequences=decoding.num_beams,
        max_new_tokens=decoding.max_new_tokens,
        do_sample=False,
        eos_token_id=end,
        pad_token_id=end if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
        decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
        return_dict_in_generate=True,
        output_scores=True,  # without them, transformers gives no scores of whole texts either
    )
    stop = StoppingCriteriaList([_Cancelled(is_cancelled)])
    found = model.generate(**inputs, generation_config=config, stopping_criteria=stop)  # pyright: ignore[reportCallIssue]
    begun = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    sequences = [row[begun:].tolist() for row in found.sequences]
    return [
        Beam(tokens[: tokens.index(end)] if end in tokens else tokens, score)
        for tokens, score in zip(sequences, found.sequences_scores.tolist(), strict=True)
    ]


class _Cancelled(StoppingCriteria):
    def __init__(self, is_cancelled: Callable[[], bool]) -> None:
        self._is_cancelled = is_cancelled

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> torch.BoolTensor:
        del scores, kwargs
        stop = torch.full((len(input_ids),), self._is_cancelled(), device=input_ids.device)
        return cast("torch.BoolTensor", stop)
