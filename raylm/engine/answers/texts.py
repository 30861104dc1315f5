"""Answers that a model writes: greedily, token after token, until it ends the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import GenerationConfig

from raylm.data.text_to_text import prompt_room
from raylm.engine.answers.respondent import Answered, Respondent
from raylm.engine.generation.rows import left_padded, right_padded
from raylm.kernels.arrays import pad_id
from raylm.kernels.task_rows import kept_places
from raylm.tasks import Record


class _Prompts(NamedTuple):
    """What a model is given to write from."""

    ids: list[list[int]]
    max_new_tokens: int
    notes: tuple[str, ...]
    num_given: int
    """Tokens that stand before the answer in what `generate` returns; -1 for all that it was given."""


def text(respondent: Respondent, records: Sequence[Record]) -> Answered:
    """Return what the model writes to each record's prompt, without special tokens.

    The likeliest token is taken each time, so that the same rows give the same answers.
    """
    prompts = _READERS[respondent.encoder.objective](respondent, records)
    found = [""] * len(records)
    # What is written takes room as well.
    lengths = [len(ids) + prompts.max_new_tokens for ids in prompts.ids]
    for group in respondent.groups(lengths):
        written = _written(respondent, [prompts.ids[number] for number in group], prompts)
        for number, ids in zip(group, written, strict=True):
            found[number] = _decoded(respondent, ids)
    return Answered(found, prompts.notes)


def _of_encoder(respondent: Respondent, records: Sequence[Record]) -> _Prompts:
    """Return what an encoder reads; of a long prompt the beginning, as in training."""
    task, encoder = respondent.task, respondent.encoder
    whole = [np.array(encoder.whole(task.prompt(record)).ids) for record in records]
    kept = [ids[kept_places(ids, respondent.frame)].tolist() for ids in whole]
    return _Prompts(kept, _wanted(respondent), respondent.cut_note([len(ids) for ids in whole]), 1)


def _of_decoder(respondent: Respondent, records: Sequence[Record]) -> _Prompts:
    """Return what a decoder goes on from; of a long prompt the end, with room for an answer after it.

    A decoder learned no places past train.sequence_length.
    """
    task: Any = respondent.task
    encoder, length = respondent.encoder, respondent.frame.sequence_length
    whole = [encoder.plain(task.decoder_prompt(record)).ids or [encoder.eos_token_id] for record in records]
    wanted = _wanted(respondent)
    room = prompt_room(length, wanted)
    fitting = min(wanted, length + 1 - room)
    notes = []
    if count := sum(len(ids) > room for ids in whole):
        notes.append(f"{count:,} of {len(whole):,} prompts are longer than {room} tokens: their end was read")
    if fitting < wanted:
        notes.append(f"answers end after {fitting} tokens, as train.sequence_length is {length}")
    return _Prompts([ids[-room:] for ids in whole], fitting, tuple(notes), -1)


_READERS: Mapping[str, Callable[[Respondent, Sequence[Record]], _Prompts]] = {
    "seq2seq": _of_encoder,
    "supervised": _of_decoder,
}


def _wanted(respondent: Respondent) -> int:
    task: Any = respondent.task
    return task.max_answer_tokens


@torch.inference_mode()
def _written(respondent: Respondent, prompts: list[list[int]], how: _Prompts) -> list[list[int]]:
    """Return the ids that follow each prompt, those after the end of the text left out."""
    model, end = respondent.model.eval(), respondent.encoder.eos_token_id
    pad, device = pad_id(respondent.encoder.vocabulary.pad_token_id), cast("torch.device", model.device)
    is_encoded = how.num_given > 0
    ids, mask = right_padded(prompts, device, pad) if is_encoded else left_padded(prompts, device)
    config = GenerationConfig(
        max_new_tokens=how.max_new_tokens,
        do_sample=False,
        num_beams=1,
        eos_token_id=end,
        pad_token_id=pad,
        decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
    )
    found = cast("Any", model).generate(input_ids=ids, attention_mask=mask, generation_config=config)
    rows = found[:, how.num_given if is_encoded else ids.shape[1] :].tolist()
    return [row[: row.index(end)] if end in row else row for row in rows]


def _decoded(respondent: Respondent, ids: Sequence[int]) -> str:
    is_special: NDArray[np.bool_] = respondent.encoder.vocabulary.is_special
    return respondent.encoder.tokenizer.decode(number for number in ids if not is_special[number])
