"""As T5 does: the encoder reads the prompt, the decoder writes; the spans of a prompt with sentinels, say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor
from transformers import PreTrainedModel

from raylm.engine.generation.blanks import without_space_before
from raylm.engine.generation.rows import right_padded
from raylm.engine.generation.token_writer import TokenWriter
from raylm.engine.generation.writer import refuse_length

_SENTINEL = re.compile(r"<extra_id_\d+>")
_MOST_TOKENS = 4096  # of a prompt where positions are relative: memory goes with the square


class EncoderDecoder(TokenWriter):
    """The prompt is encoded once; the decoder's keys and values are cached."""

    kind: ClassVar = "encoder_decoder"
    continues: ClassVar = False

    @staticmethod
    def fits(model: PreTrainedModel) -> bool:
        return bool(model.config.is_encoder_decoder) and model.can_generate()

    def read(self, prompts: Sequence[str]) -> list[list[int]]:
        """Return the prompts' ids with what the tokenizer puts around a text, as in training."""
        ids = [self.tokenizer.encode(self._closed_up(prompt)) for prompt in prompts]
        has_end = all(each and each[-1] == self.tokenizer.eos_token_id for each in ids)
        ids = ids if has_end else [[*each, self._end] for each in ids]
        positions = getattr(self.model.config, "max_position_embeddings", None)
        refuse_length(ids, positions or _MOST_TOKENS)
        return ids

    def hidden(self) -> AbstractSet[int]:
        """Return the ids that are no text; sentinels say which span is written."""
        hidden = super().hidden()
        names = self.tokenizer.convert_ids_to_tokens(sorted(hidden))
        return {id_ for id_, name in zip(sorted(hidden), names, strict=True) if not _SENTINEL.fullmatch(name)}

    @torch.inference_mode()
    def logits(self, read: Sequence[Sequence[int]], written: Sequence[Sequence[int]]) -> Iterator[Tensor]:
        ids, mask = right_padded(read, self.model.device, self.speaker.pad_id())
        encoded = self.model.get_encoder()(input_ids=ids, attention_mask=mask)
        newest, cache = [self.model.config.decoder_start_token_id] * len(read), None
        while True:
            output = self.model(
                encoder_outputs=encoded,
                attention_mask=mask,
                decoder_input_ids=torch.tensor(newest, device=ids.device).unsqueeze(1),
                past_key_values=cache,
                use_cache=True,
            )
            cache = output.past_key_values
            yield output.logits[:, -1]
            newest = [tokens[-1] for tokens in written]

    def beam_inputs(self, read: Sequence[int], max_new_tokens: int) -> dict[str, Any]:
        del max_new_tokens  # the decoder has no end
        return {"input_ids": torch.tensor([read], device=self.model.device)}

    def details(self, prompt: str, text: str) -> Mapping[str, Any]:
        """Return the spans by their sentinels, and the prompt with them filled in, where it has any."""
        if not _SENTINEL.search(prompt):
            return {}
        spans = spans_of(text)
        filled = _SENTINEL.sub(lambda found: spans.get(found[0], ""), self._closed_up(prompt))
        return {"spans": spans, "filled": filled.strip()}

    def _closed_up(self, prompt: str) -> str:
        return without_space_before(_SENTINEL, prompt, self.tokenizer)


def spans_of(text: str) -> dict[str, str]:
    """Return what follows each sentinel of a text; of one that comes twice, what follows first."""
    found = [*_SENTINEL.finditer(text)]
    stops = [after.start() for _, after in pairwise(found)] + [len(text)]
    spans: dict[str, str] = {}
    for sentinel, stop in zip(found, stops, strict=False):
        spans.setdefault(sentinel[0], text[sentinel.end() : stop])
    return spans
